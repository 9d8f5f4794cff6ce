//! Reads the text and the default of each setting from `docs/config.toml`, for the help,
//! the manual and `podtap config`. So all of them agree with the file that people read.

use super::key::Key;

const EXAMPLE: &str = include_str!("../../docs/config.toml");

/// Prefix of a default that differs from the example value in the line below.
const DEFAULT: &str = "Default: ";

/// Marks a setting without a default; its value is an example.
const NO_DEFAULT: &str = "No default.";

pub(crate) struct SettingEntry {
    pub(crate) key: Key,
    /// What the setting does.
    pub(crate) text: String,
    /// The default, as TOML or in words; `None` if there is none.
    pub(crate) default: Option<String>,
}

/// Returns all settings, in the order of the file.
pub(crate) fn entries() -> impl Iterator<Item = SettingEntry> {
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

fn entry(key: Key, value: &str, comment: &str) -> SettingEntry {
    let (text, default) = match comment.split_once(DEFAULT) {
        Some((text, default)) => (text, Some(default.trim_end_matches('.').to_owned())),
        None => match comment.strip_suffix(NO_DEFAULT) {
            Some(text) => (text, None),
            None => (comment, Some(value.to_owned())),
        },
    };
    SettingEntry {
        key,
        text: text.trim_end().to_owned(),
        default,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_readme_names_the_settings_that_are_no_flags() {
        fn flags(command: &clap::Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().map(|flag| {
                let name = flag.get_long().unwrap_or(flag.get_id().as_str());
                name.strip_prefix("no-").unwrap_or(name).to_owned()
            }));
            command.get_subcommands().for_each(|sub| flags(sub, found));
        }
        let words = include_str!("../../README.md").split_whitespace();
        let readme = words.collect::<Vec<_>>().join(" ");
        let (_, said) = readme.split_once("All but ").unwrap();
        let (said, _) = said.split_once(" are flags of the").unwrap();
        let mut found = Vec::new();
        flags(&crate::cli::Cli::command(), &mut found);
        for key in Key::ALL {
            let name = key.name();
            let is_flag = found.iter().any(|flag| flag == name);
            let named = said.contains(&format!("`{name}`"))
                || (name.starts_with("podio-") && name != "podio-url");
            assert_ne!(is_flag, named, "{name}");
        }
    }

    #[test]
    fn the_help_and_the_example_give_the_same_defaults() {
        // Commands whose default differs.
        const OTHERS: [(&str, Key); 5] = [
            ("wait", Key::TIMEOUT),
            ("listen", Key::LISTEN),
            ("sandbox", Key::LISTEN),
            ("do", Key::PODIO_URL),
            ("outage", Key::PODIO_URL),
        ];
        fn check(command: &clap::Command, entries: &[SettingEntry], checked: &mut usize) {
            for argument in command.get_arguments() {
                let name = argument.get_long().unwrap_or_default();
                let Some(entry) = entries.iter().find(|entry| entry.key.name() == name) else {
                    continue;
                };
                let help = argument.get_long_help().or(argument.get_help());
                let help = help.map(ToString::to_string).unwrap_or_default();
                let told = help.split("[default: ").nth(1);
                let told = told.and_then(|rest| rest.split(']').next());
                let Some(default) = &entry.default else {
                    continue;
                };
                let mut default = default.trim_matches('"').to_owned();
                if default.starts_with(|c: char| c.is_ascii_digit()) {
                    default = default.replace('_', "");
                }
                let is_switch = matches!(&*default, "true" | "false") && told.is_none();
                if !is_switch && !OTHERS.contains(&(command.get_name(), entry.key)) {
                    assert_eq!(told, Some(&*default), "{} --{name}", command.get_name());
                    *checked += 1;
                }
            }
            for subcommand in command.get_subcommands() {
                check(subcommand, entries, checked);
            }
        }
        let (entries, mut checked): (Vec<SettingEntry>, usize) = (entries().collect(), 0);
        check(&crate::cli::Cli::command(), &entries, &mut checked);
        assert!(checked > 40, "{checked}");
    }

    #[test]
    fn every_setting_has_a_text_and_the_defaults_are_told() {
        let entries: Vec<SettingEntry> = entries().collect();
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
