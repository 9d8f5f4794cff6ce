//! Converts the configuration's table `[keys]` to a keymap, and the default keymap to TOML.
//!
//! `replay = "ctrl-r"` sets the keys of an action everywhere;
//! `detail.back = ["esc"]` sets them in one place. The keymap decides which keys are valid.

use std::fmt::Write as _;
use std::path::Path;

use podtap_tui::{Action, Context, KeyOverride, Keymap, KeymapError};

use super::file::Table;
use super::key::nearest;
use crate::failure::Failure;

/// How to list all actions.
const LIST: &str = "`podtap ui --print-keys` lists the actions with their keys";

/// Returns the keymap with the keys of this table.
pub(super) fn keymap(table: &Table) -> Result<Keymap, Failure> {
    let overrides = overrides(table)?;
    Keymap::with_overrides(&overrides).map_err(|(index, error)| {
        let key_override = index.and_then(|index| overrides.get(index));
        let key = key_override.map_or_else(|| "keys".to_owned(), name);
        let failure = invalid_keys(&table.path, &key, error.to_string());
        match error {
            KeymapError::UnknownAction(action) => {
                let names = Action::ALL.iter().map(|action| action.name());
                failure.hint(match nearest(&action, names) {
                    Some(near) => format!("did you mean `{near}`? {LIST}"),
                    None => LIST.to_owned(),
                })
            }
            KeymapError::Elsewhere { .. } => failure.hint(LIST),
            _ => failure,
        }
    })
}

/// Returns the default keys as a table for a configuration file.
pub(crate) fn to_toml() -> String {
    let mut text = "[keys]\n".to_owned();
    let overrides = Keymap::default().overrides();
    let lines = overrides.iter().map(|(key_override, help)| {
        (
            format!("{} = {}", short(key_override), value(&key_override.keys)),
            help,
        )
    });
    for (line, help) in lines {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line:46} # {help}");
    }
    text
}

fn value(keys: &[String]) -> String {
    // Basic strings escape only these two; a key has no control character.
    let quoted = |key: &String| {
        let escaped = key.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    };
    let quoted: Vec<String> = keys.iter().map(quoted).collect();
    match quoted.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

fn overrides(table: &Table) -> Result<Vec<KeyOverride>, Failure> {
    let mut overrides = Vec::new();
    for (name, value) in table.entries("keys")? {
        match value {
            toml::Value::Table(of_place) => {
                let Some(place) = Context::from_name(name) else {
                    let why = format!("`{name}` is not a place with keys");
                    let names: Vec<&str> = Context::names().collect();
                    let hint = format!("the places are {}", names.join(", "));
                    return Err(invalid_keys(&table.path, &format!("keys.{name}"), why).hint(hint));
                };
                for (action, value) in of_place {
                    overrides.push(key_override(&table.path, Some(place), action, value)?);
                }
            }
            value => overrides.push(key_override(&table.path, None, name, value)?),
        }
    }
    Ok(overrides)
}

fn key_override(
    path: &Path,
    place: Option<Context>,
    action: &str,
    value: &toml::Value,
) -> Result<KeyOverride, Failure> {
    let keys: Option<Vec<String>> = match value {
        toml::Value::String(key) => Some(vec![key.clone()]),
        toml::Value::Array(keys) => keys
            .iter()
            .map(|key| key.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let is_right = keys.is_some();
    let key_override = KeyOverride {
        place,
        action: action.to_owned(),
        keys: keys.unwrap_or_default(),
    };
    if is_right {
        return Ok(key_override);
    }
    let why = "write a key such as \"ctrl-r\", or several: [\"/\", \"f\"]";
    Err(invalid_keys(path, &name(&key_override), why.to_owned()))
}

fn short(key_override: &KeyOverride) -> String {
    match key_override.place {
        Some(place) => format!("{}.{}", place.name(), key_override.action),
        None => key_override.action.clone(),
    }
}

fn name(key_override: &KeyOverride) -> String {
    format!("keys.{}", short(key_override))
}

fn invalid_keys(path: &Path, key: &str, why: String) -> Failure {
    Failure::usage("the keys of the configuration file cannot be used")
        .fact("file", path.display().to_string())
        .fact("key", key.escape_default().to_string())
        .fact("why", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Keymap, String> {
        keymap(&Table::parse_table(text, "keys")).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_key_several_or_none_are_taken_for_all_places_or_for_one() {
        let text = "[keys]\nreplay = 'ctrl-r'\nfilter = ['/', 'F']\nmark = []\ndetail.back = 'x'";
        let keymap = of(text).unwrap();
        let key = |place, action| keymap.key_in(place, action).map(|key| key.to_string());
        assert_eq!(
            key(Context::Browse, Action::Replay).as_deref(),
            Some("ctrl-r")
        );
        assert_eq!(key(Context::List, Action::Filter).as_deref(), Some("/"));
        assert_eq!(key(Context::List, Action::Mark), None);
        assert_eq!(key(Context::Detail, Action::Back).as_deref(), Some("x"));
        assert_eq!(key(Context::Modal, Action::Back).as_deref(), Some("esc"));
    }

    #[test]
    fn what_is_printed_makes_the_default_keys() {
        let text = to_toml();
        assert_eq!(of(&text), Ok(Keymap::default()), "{text}");
        for action in Action::ALL {
            assert!(text.contains(action.name()), "{action:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_key_and_what_would_do() {
        for (text, told) in [
            (
                "[keys]\nreplai = 'x'",
                ["keys.replai", "did you mean `replay`"],
            ),
            ("[keys]\nreplay = 'xx'", ["keys.replay", "write `x`"]),
            ("[keys]\nreplay = 3", ["keys.replay", "[\"/\", \"f\"]"]),
            (
                "[keys]\nlst.mark = 'x'",
                ["keys.lst", "the places are list, detail"],
            ),
            (
                "[keys]\ndetail.mark-range = 'x'",
                ["keys.detail.mark-range", "in: list"],
            ),
            (
                "[keys]\nquit = []",
                ["keys.quit", "needs a key in the list"],
            ),
            ("keys = 3", ["keys", "a table"]),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains("c.toml"), "{text}: {error}");
            for told in told {
                assert!(error.contains(told), "{text}: {error}");
            }
        }
    }
}
