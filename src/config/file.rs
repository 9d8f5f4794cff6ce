//! The configuration file: TOML, one key a setting, unknown keys refused.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::env::Environment;
use super::key::Key;
use super::merge::{Layer, Origin};
use crate::failure::{Failure, chain};

/// The settings in the file asked for, else in the default one where it exists.
pub(super) fn load(asked: Option<&Path>, env: &Environment) -> Result<Layer, Failure> {
    let asked = asked.map(Path::to_path_buf).or_else(|| env.config_file());
    let Some(path) = asked.clone().or_else(default_path) else {
        return Ok(Layer::new());
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && asked.is_none() => {
            Ok(Layer::new())
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

fn parse(path: &Path, text: &str) -> Result<Layer, Failure> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Failure::usage("the configuration file is not TOML")
            .fact("file", path.display().to_string())
            .fact("why", chain(&error))
    })?;
    table
        .into_iter()
        .map(|(name, value)| setting(path, &name, value))
        .collect()
}

fn setting(path: &Path, name: &str, value: toml::Value) -> Result<(Key, Entry), Failure> {
    let Some(key) = Key::find(name) else {
        let failure = Failure::usage(format!(
            "the configuration file has an unknown key `{name}`"
        ))
        .fact("file", path.display().to_string());
        return Err(match Key::nearest(name) {
            Some(near) => failure.hint(format!("did you mean `{}`?", near.name())),
            None => failure.hint("`podtap --help` lists the settings; each is a key of that name"),
        });
    };
    let text = match value {
        toml::Value::String(text) => text,
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        other => {
            let found = other.type_str();
            return Err(
                Failure::usage(format!("`{name}` takes one value, not a TOML {found}"))
                    .fact("file", path.display().to_string()),
            );
        }
    };
    Ok((key, (text, Origin::File(path.to_path_buf()))))
}

type Entry = (String, Origin);

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> String {
        parse(Path::new("c.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn values_of_every_plain_kind_are_taken_as_text() {
        let layer = parse(
            Path::new("c.toml"),
            "relay = 'https://x'\nwindow = 7\npreserve-host = true",
        )
        .unwrap();
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
    }
}
