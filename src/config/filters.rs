//! Reads the configuration's table `[filters]`: named filters, used as `@name`.

use jiff::Timestamp;
use podtap_agent::history::SavedFilters;

use super::file::Table;
use crate::failure::Failure;

/// Parses the saved filters of the table.
pub(super) fn read_saved(table: &Table, now: Timestamp) -> Result<SavedFilters, Failure> {
    let refused = |name: &str, why: String| {
        Failure::usage("a saved filter of the configuration file cannot be used")
            .fact("file", table.path.display().to_string())
            .fact("key", format!("filters.{}", name.escape_default()))
            .fact("why", why)
    };
    let mut filters = Vec::new();
    for (name, value) in table.entries("filters")? {
        let Some(text) = value.as_str() else {
            let found = value.type_str();
            let why = format!("it is a text such as \"status:>=400\", not a TOML {found}");
            return Err(refused(name, why));
        };
        filters.push((name.clone(), text.to_owned()));
    }
    SavedFilters::new(filters, now).map_err(|(name, error)| refused(&name, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<SavedFilters, String> {
        let table = Table::parse_table(text, "filters");
        read_saved(&table, Timestamp::UNIX_EPOCH).map_err(|failure| failure.to_string())
    }

    #[test]
    fn filters_are_kept_by_name() {
        let saved = of("[filters]\nmine = 'hook:9'\nerrors = 'status:>=400'").unwrap();
        let all: Vec<_> = saved.iter().collect();
        assert_eq!(all, [("errors", "status:>=400"), ("mine", "hook:9")]);
    }

    #[test]
    fn a_bad_one_is_told_with_file_name_and_column() {
        for (text, told) in [
            ("mine = 'item:1 status:soon'", ["filters.mine", "column 15"]),
            ("mine = '@other'", ["filters.mine", "column 1"]),
            ("Mine = 'item:1'", ["filters.Mine", "a name has at most"]),
            ("mine = 3", ["filters.mine", "not a TOML integer"]),
        ] {
            let error = of(&format!("[filters]\n{text}")).unwrap_err();
            assert!(error.contains("c.toml"), "{text}: {error}");
            for told in told {
                assert!(error.contains(told), "{text}: {error}");
            }
        }
    }
}
