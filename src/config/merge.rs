//! Merges the sources of settings and records where each value came from.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::key::Key;

/// Settings from one source.
pub(super) type Layer = BTreeMap<Key, (String, ValueOrigin)>;

/// The settings of all sources, in order of precedence.
#[derive(Clone)]
pub(super) struct Layers {
    pub(super) flags: Layer,
    /// The table of this tunnel, if the file has several.
    pub(super) tunnel: Layer,
    pub(super) env: Layer,
    pub(super) file: Layer,
}

impl Layers {
    /// Returns whether `key` comes from a stronger source than `other`, or
    /// `other` is not set. Returns `None` if both come from the same source.
    pub(super) fn is_stronger(&self, key: Key, other: Key) -> Option<bool> {
        let [key, other] = [key, other].map(|key| {
            let at = self.all().iter().position(|layer| layer.contains_key(&key));
            at.unwrap_or(usize::MAX)
        });
        (key != other).then_some(key < other)
    }

    fn all(&self) -> [&Layer; 4] {
        [&self.flags, &self.tunnel, &self.env, &self.file]
    }

    /// Returns the value from the strongest source.
    pub(super) fn get(&self, key: Key) -> Option<&(String, ValueOrigin)> {
        self.all().into_iter().find_map(|layer| layer.get(&key))
    }
}

/// The source of a value, for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ValueOrigin {
    /// A flag on the command line.
    Flag(&'static str),
    /// An environment variable.
    Variable(String),
    /// The configuration file.
    File(PathBuf),
    /// The table of this tunnel in the configuration file.
    Tunnel(PathBuf, String),
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Tunnel(path, name) => write!(f, "{}, tunnel {name}", path.display()),
        }
    }
}

/// Flags and arguments that are settings under another
/// name: the command, the argument, the setting.
const OTHER_NAMES: [(&str, &str, Key); 5] = [
    ("listen", "target", Key::FORWARD_TO),
    ("repair", "to", Key::FORWARD_TO),
    ("replay", "to", Key::FORWARD_TO),
    ("trigger", "to", Key::FORWARD_TO),
    ("url", "of", Key::NAME),
];

/// Flags with the name of a setting that are not that setting: the command and the flag.
const OWN_FLAGS: [(&str, &str); 1] = [("wait", "timeout")];

/// Returns the layer of the command line: each typed flag with the name of a setting sets it, and
/// `--no-mouse` sets `mouse` to false. Clap knows which values were typed and which are defaults.
pub(super) fn flags(root: &Command, typed: &ArgMatches) -> Layer {
    let (mut command, mut typed) = (root, typed);
    while let Some((name, below)) = typed.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, typed) = (subcommand, below);
    }
    let mut layer = Layer::new();
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        if typed.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        if let Some((key, is_on)) = setting(command, argument) {
            let value = if argument.get_action().takes_values() {
                // An argument that can be repeated is a list.
                let values = typed.get_raw(id).into_iter().flatten();
                let values: Vec<_> = values.map(OsStr::to_string_lossy).collect();
                values.join(key.separator())
            } else {
                is_on.to_string()
            };
            layer.insert(key, (value, ValueOrigin::Flag(key.name())));
        }
    }
    layer
}

/// Returns the setting of an argument, and the value that a flag without a value sets.
fn setting(command: &Command, argument: &Arg) -> Option<(Key, bool)> {
    let (command, id) = (command.get_name(), argument.get_id().as_str());
    let is_other = |(of, other, _): &&(&str, &str, Key)| (*of, *other) == (command, id);
    if let Some((_, _, key)) = OTHER_NAMES.iter().find(is_other) {
        return Some((*key, true));
    }
    let long = argument.get_long()?;
    if OWN_FLAGS.contains(&(command, long)) {
        return None;
    }
    let on = Key::find(long).map(|key| (key, true));
    on.or_else(|| Key::find(long.strip_prefix("no-")?).map(|key| (key, false)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn root() -> Command {
        let mut root = Cli::command();
        root.build();
        root
    }

    fn layer(words: &[&str]) -> Vec<(&'static str, String)> {
        let root = root();
        let typed = ["podtap"].iter().chain(words);
        let typed = root.clone().try_get_matches_from(typed).unwrap();
        let layer = flags(&root, &typed);
        let named = layer
            .into_iter()
            .map(|(key, (value, _))| (key.name(), value));
        named.collect()
    }

    #[test]
    fn what_is_typed_is_set_and_a_default_is_not() {
        let set = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            let own = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
            pairs.iter().map(own).collect()
        };
        for (words, expected) in [
            (&["listen", "3000"][..], &[("forward-to", "3000")][..]),
            (&["listen", "-f", "3000"], &[("forward-to", "3000")]),
            (&["replay", "ID", "--to", "4"], &[("forward-to", "4")]),
            (&["url", "crm"], &[("name", "crm")]),
            (&["demo", "--no-mouse"], &[("mouse", "false")]),
            (&["demo", "--rate", "3"], &[]),
            (
                &["ui", "--no-mouse", "-n", "a"],
                &[("mouse", "false"), ("name", "a")],
            ),
            (
                &["listen", "1", "--no-verify", "--break-loops"],
                &[
                    ("break-loops", "true"),
                    ("forward-to", "1"),
                    ("verify", "false"),
                ],
            ),
            (
                &["relay", "--methods", "GET", "--methods", "POST"],
                &[("methods", "GET,POST")],
            ),
            (
                &["relay", "token", "create", "ann", "--data-dir", "d"],
                &[("data-dir", "d")],
            ),
            (
                &["--color", "never", "tunnels", "delete", "crm"],
                &[("color", "never")],
            ),
            (&["hooks", "move", "1", "--to", "https://x"], &[]),
            (&["wait", "item:1", "--timeout", "5s"], &[]),
            (&["events", "delete", "-n", "b", "item:1"], &[("name", "b")]),
        ] {
            assert_eq!(layer(words), set(expected), "{words:?}");
        }
    }

    #[test]
    fn every_flag_that_has_the_name_of_a_setting_sets_it() {
        fn each(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, Arg)>) {
            for argument in command.get_arguments().filter(|it| it.get_long().is_some()) {
                if setting(command, argument).is_some() {
                    found.push((path.to_vec(), argument.clone()));
                }
            }
            for subcommand in command.get_subcommands() {
                let name = subcommand.get_name().to_owned();
                if name != "help" {
                    each(subcommand, &[path, &[name]].concat(), found);
                }
            }
        }
        let root = root();
        let mut found = Vec::new();
        each(&root, &[], &mut found);
        let mut tried = 0;
        for (path, argument) in found.iter().filter(|(path, _)| !path.is_empty()) {
            let long = argument.get_long().unwrap();
            let value = argument.get_action().takes_values().then_some("7");
            let flag = format!("--{long}");
            let words = [&["podtap".to_owned()], &path[..], &[flag]].concat();
            let words = words.into_iter().chain(value.map(str::to_owned));
            let words: Vec<String> = words.collect();
            // The command's required arguments are one or two words with any value.
            let typed = (0..3).find_map(|count| {
                let more = std::iter::repeat_n("7".to_owned(), count);
                let words = words.iter().cloned().chain(more);
                root.clone().try_get_matches_from(words).ok()
            });
            let Some(typed) = typed else { continue };
            let (key, _) = setting(&root, argument).unwrap_or((Key::FORWARD_TO, true));
            let set = flags(&root, &typed);
            assert!(set.contains_key(&key), "{path:?} --{long}");
            tried += 1;
        }
        assert!(tried > 80, "{tried} of {}", found.len());
    }
}
