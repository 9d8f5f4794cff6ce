//! Reads the configuration file: TOML with one key per setting and the
//! tables `[keys]`, `[filters]` and `[[tunnel]]`. Unknown keys are refused.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use podtap_connect::reason::chain;

use super::env::Environment;
use super::key::{Key, nearest};
use super::merge::{Layer, ValueOrigin};
use crate::failure::Failure;

/// Maximum size of the file in bytes, far more than anyone writes by hand.
const MAX_BYTES: u64 = 1024 * 1024;

/// The tables of the file.
const TABLES: [&str; 3] = ["keys", "filters", "tunnel"];

/// The content of the file.
#[derive(Debug, Default)]
pub(super) struct SettingsFile {
    /// One value per setting.
    pub(super) settings: Layer,
    /// The table `[keys]`, read by commands with a keyboard UI.
    pub(super) keys: Table,
    /// The table `[filters]`, read by commands that filter.
    pub(super) filters: Table,
    /// The tables `[[tunnel]]`, read by commands that run several tunnels.
    pub(super) tunnels: Table,
}

/// A table of the file, not parsed yet: a mistake in it stops only the commands that use the table.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub(super) path: PathBuf,
    pub(super) value: Option<toml::Value>,
}

impl Table {
    /// Returns the entries of the table, by name.
    pub(super) fn entries(
        &self,
        name: &'static str,
    ) -> Result<impl Iterator<Item = (&String, &toml::Value)>, Failure> {
        let table = match &self.value {
            None => None,
            Some(toml::Value::Table(table)) => Some(table),
            Some(other) => {
                let found = other.type_str();
                let what = format!("`{name}` is a table, not a TOML {found}");
                let file = self.path.display().to_string();
                return Err(Failure::usage(what).fact("file", file));
            }
        };
        Ok(table.into_iter().flatten())
    }

    /// Returns the table with this name in a file `c.toml` with this text.
    #[cfg(test)]
    pub(super) fn parse_table(text: &str, name: &str) -> Self {
        let file = parse_settings(text);
        if name == "keys" {
            file.keys
        } else {
            file.filters
        }
    }
}

/// Loads the file that was asked for, or else the default file if it exists.
pub(super) fn load(asked: Option<&Path>, env: &Environment) -> Result<SettingsFile, Failure> {
    let asked = asked.map(Path::to_path_buf).or_else(|| env.config_file());
    let Some(path) = asked.clone().or_else(default_path) else {
        return Ok(SettingsFile::default());
    };
    match crate::file::read_text(&path, MAX_BYTES) {
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == ErrorKind::NotFound && asked.is_none() => {
            Ok(SettingsFile::default())
        }
        Err(error) => Err(Failure::usage("the configuration file cannot be read")
            .fact("file", path.display().to_string())
            .fact("why", error.to_string())),
    }
}

fn default_path() -> Option<PathBuf> {
    let base = etcetera::base_strategy::choose_base_strategy().ok()?;
    Some(base.config_dir().join("podtap").join("config.toml"))
}

fn parse(path: &Path, text: &str) -> Result<SettingsFile, Failure> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Failure::usage("the configuration file is not TOML")
            .fact("file", path.display().to_string())
            .fact("why", chain(&error))
    })?;
    let mut file = SettingsFile::default();
    for (name, value) in table {
        let table = match name.as_str() {
            "keys" => &mut file.keys,
            "filters" => &mut file.filters,
            "tunnel" => &mut file.tunnels,
            _ => {
                let (key, entry) = setting(path, &name, value)?;
                file.settings.insert(key, entry);
                continue;
            }
        };
        *table = Table {
            path: path.to_path_buf(),
            value: Some(value),
        };
    }
    Ok(file)
}

/// Returns a key of the file, with its value as text.
pub(super) fn setting(
    path: &Path,
    name: &str,
    value: toml::Value,
) -> Result<(Key, FileEntry), Failure> {
    let Some(key) = Key::find(name) else {
        let failure = Failure::usage(format!(
            "the configuration file has an unknown key `{name}`"
        ))
        .fact("file", path.display().to_string());
        let names = Key::ALL.iter().map(|key| key.name()).chain(TABLES);
        return Err(match nearest(name, names) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("`podtap --help` lists the settings; each is a key of that name"),
        });
    };
    let text = match value {
        toml::Value::String(text) => text,
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        toml::Value::Array(values)
            if key == Key::ROUTE && values.iter().all(toml::Value::is_str) =>
        {
            let values: Vec<&str> = values.iter().filter_map(toml::Value::as_str).collect();
            values.join(key.separator())
        }
        other => {
            let found = other.type_str();
            return Err(
                Failure::usage(format!("`{name}` takes one value, not a TOML {found}"))
                    .fact("file", path.display().to_string()),
            );
        }
    };
    Ok((key, (text, ValueOrigin::File(path.to_path_buf()))))
}

/// Returns the content of a file `c.toml` with this text.
#[cfg(test)]
pub(super) fn parse_settings(text: &str) -> SettingsFile {
    parse(Path::new("c.toml"), text).unwrap()
}

/// A value and its origin.
pub(super) type FileEntry = (String, ValueOrigin);

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> String {
        let parsed = parse(Path::new("c.toml"), text);
        parsed.unwrap_err().to_string()
    }

    #[test]
    fn values_of_every_plain_kind_are_taken_as_text() {
        let layer = parse(
            Path::new("c.toml"),
            "relay = 'https://x'\nwindow = 7\npreserve-host = true",
        )
        .unwrap()
        .settings;
        assert_eq!(layer[&Key::RELAY].0, "https://x");
        assert_eq!(layer[&Key::WINDOW].0, "7");
        assert_eq!(layer[&Key::PRESERVE_HOST].0, "true");
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_right_one() {
        let text = failure("relai = 'x'");
        assert!(
            text.contains("`relai`") && text.contains("did you mean `relay`?"),
            "{text}"
        );
        assert!(text.contains("c.toml"), "{text}");
    }

    #[test]
    fn what_is_no_toml_is_said_with_its_line() {
        let text = failure("relay = \nx");
        assert!(text.contains("line 2"), "{text}");
        assert!(failure("relay = ['a']").contains("not a TOML array"));
        let text = failure("[filter]\nerrors = 'status:5xx'");
        assert!(text.contains("did you mean `filters`?"), "{text}");
    }
}
