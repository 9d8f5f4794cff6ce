//! What `docs/config.toml` says of each setting: its text and its default. The file is what a person
//! reads; help, manual and `podtap config` say the same, since they read it too.

use super::key::Key;

const EXAMPLE: &str = include_str!("../../docs/config.toml");

/// How a default is told that is not the value in the line below.
const DEFAULT: &str = "Default: ";

/// How it is told that there is none, and the value is an example.
const NO_DEFAULT: &str = "No default.";

/// One setting.
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// What it does.
    pub(crate) text: String,
    /// What it is where nothing is set, as TOML or in words; `None` for nothing.
    pub(crate) default: Option<String>,
}

/// Every setting, in the order of the file.
pub(crate) fn entries() -> impl Iterator<Item = Entry> {
    let settings = EXAMPLE.split("\n#[").next().unwrap_or_default();
    settings.split("\n\n").flat_map(|paragraph| {
        let comment: Vec<&str> = paragraph
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| !line.starts_with("---"))
            .collect();
        let comment = comment.join(" ");
        let lines = paragraph.lines().filter_map(|line| line.strip_prefix('#'));
        let pairs = lines.filter_map(|line| line.split_once(" = "));
        pairs
            .filter_map(|(name, value)| Some((Key::find(name)?, value)))
            .map(|(key, value)| entry(key, value, &comment))
            .collect::<Vec<_>>()
    })
}

fn entry(key: Key, value: &str, comment: &str) -> Entry {
    let (text, default) = match comment.split_once(DEFAULT) {
        Some((text, default)) => (text, Some(default.trim_end_matches('.').to_owned())),
        None => match comment.strip_suffix(NO_DEFAULT) {
            Some(text) => (text, None),
            None => (comment, Some(value.to_owned())),
        },
    };
    Entry {
        key,
        text: text.trim_end().to_owned(),
        default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_text_and_the_defaults_are_told() {
        let entries: Vec<Entry> = entries().collect();
        for key in Key::ALL {
            let entry = entries.iter().find(|entry| entry.key == *key);
            let entry = entry.unwrap_or_else(|| panic!("{key:?} is not in docs/config.toml"));
            assert!(!entry.text.is_empty(), "{key:?} has no text");
        }
        let default = |key: Key| {
            let entry = entries.iter().find(|entry| entry.key == key).unwrap();
            entry.default.clone()
        };
        assert_eq!(default(Key::WINDOW).as_deref(), Some("1024"));
        assert_eq!(default(Key::RELAY), None);
        for key in Key::ALL.iter().filter(|key| key.is_secret()) {
            assert_eq!(default(*key), None, "{key:?}");
        }
    }
}
