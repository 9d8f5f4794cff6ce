//! Finds the words of a filter among flags: `-type:hook.verify` is a term with a minus, `-ncrm`
//! is a flag. Only clap's own tables decide. If the typed command has a filter, its flags are
//! put before a `--` and the filter after it; every other command line stays unchanged.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;

/// The name of positional arguments that are filters.
const FILTER: &str = "filter";

/// Returns the arguments, with the words of a filter after a `--`.
pub(crate) fn separate_terms(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut root = Cli::command();
    root.build();
    separate(&root, arguments.collect())
}

fn separate(root: &Command, typed: Vec<OsString>) -> Vec<OsString> {
    let mut command = root;
    let mut words = typed.iter();
    let (mut flags, mut free) = (Vec::new(), Vec::new());
    flags.extend(words.next());
    while let Some(word) = words.next() {
        match Word::of(word, command) {
            Word::End => free.extend(words.by_ref()),
            Word::Flags { value_follows } => {
                flags.push(word);
                flags.extend(value_follows.then(|| words.next()).flatten());
            }
            Word::Free => match command.find_subcommand(word).filter(|_| free.is_empty()) {
                Some(subcommand) => {
                    command = subcommand;
                    flags.push(word);
                }
                None => free.push(word),
            },
        }
    }
    if free.is_empty() || !takes_filter(command) {
        return typed;
    }
    let end = OsString::from("--");
    flags.push(&end);
    flags.extend(free);
    flags.into_iter().cloned().collect()
}

fn takes_filter(command: &Command) -> bool {
    let mut positionals = command.get_positionals();
    positionals.any(|argument| argument.get_id() == FILTER)
}

/// The role of a word in a command.
enum Word {
    /// `--`
    End,
    /// One or more flags; the next word may be the value of the last.
    Flags { value_follows: bool },
    /// Anything else: a subcommand, a value, or a term.
    Free,
}

impl Word {
    fn of(word: &OsStr, command: &Command) -> Self {
        let Some(text) = word.to_str() else {
            return Self::Free;
        };
        match text.strip_prefix("--") {
            Some("") => return Self::End,
            Some(long) => return Self::long(long, command),
            None => {}
        }
        match text.strip_prefix('-') {
            None | Some("") => Self::Free,
            Some(letters) => Self::short(letters, command),
        }
    }

    /// Parses `--name`, `--name=value`, or a mistake that clap reports.
    fn long(text: &str, command: &Command) -> Self {
        let flag = command.get_arguments().find(|flag| {
            let aliases = flag.get_all_aliases().unwrap_or_default();
            flag.get_long() == Some(text) || aliases.contains(&text)
        });
        Self::Flags {
            value_follows: flag.is_some_and(needs_value),
        }
    }

    /// Parses `-n`, `-ncrm`, `-vv`: flags, as long as clap knows the letters. A single unknown
    /// letter is a mistake that clap reports; a longer word that begins with one is a term.
    fn short(letters: &str, command: &Command) -> Self {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let flag = command.get_arguments().find(|flag| {
                let aliases = flag.get_all_short_aliases().unwrap_or_default();
                flag.get_short() == Some(letter) || aliases.contains(&letter)
            });
            match flag {
                None if letters.chars().nth(1).is_some() => return Self::Free,
                Some(flag) if needs_value(flag) && !is_term(letters) => {
                    return Self::Flags {
                        value_follows: rest.as_str().is_empty(),
                    };
                }
                Some(flag) if needs_value(flag) => return Self::Free,
                None | Some(_) => {}
            }
        }
        Self::Flags {
            value_follows: false,
        }
    }
}

fn needs_value(flag: &Arg) -> bool {
    // A flag with an optional value gets it only in unambiguous forms.
    let least = flag.get_num_args().map_or(1, |count| count.min_values());
    flag.get_action().takes_values() && least > 0
}

/// Returns whether the word is like `note:x`, a name with a colon, and not the flag `-n`
/// with the value `ote:x`. Such a value of a flag can be given as a separate word instead.
fn is_term(letters: &str) -> bool {
    let name = letters.split_once(':').map_or("", |(name, _)| name);
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || matches!(letter, '_' | '-');
    name.len() > 1 && name.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_command() -> Command {
        let mut root = Cli::command();
        root.build();
        root
    }

    fn sort(root: &Command, words: &[&str]) -> Vec<String> {
        let typed = ["podtap"].iter().chain(words).map(OsString::from);
        let sorted = separate(root, typed.collect()).into_iter().skip(1);
        sorted.map(|word| word.into_string().unwrap()).collect()
    }

    /// Collects every command with the words that lead to it.
    fn commands(command: &Command, path: &[String], found: &mut Vec<(Vec<String>, Command)>) {
        for subcommand in command.get_subcommands() {
            if subcommand.get_name() == "help" {
                continue;
            }
            let path = [path, &[subcommand.get_name().to_owned()]].concat();
            commands(subcommand, &path, found);
            found.push((path, subcommand.clone()));
        }
    }

    /// Returns the ways to write a flag with this value, or without one.
    fn spellings(flag: &Arg, value: &str) -> Vec<Vec<String>> {
        let takes_value = flag.get_action().takes_values();
        let mut all = Vec::new();
        if let Some(long) = flag.get_long() {
            all.push(vec![format!("--{long}")]);
            if takes_value {
                all = vec![vec![format!("--{long}={value}")]];
                if needs_value(flag) {
                    all.push(vec![format!("--{long}"), value.to_owned()]);
                }
            }
        }
        if let Some(short) = flag.get_short() {
            if takes_value {
                all.push(vec![format!("-{short}={value}")]);
                all.push(vec![format!("-{short}{value}")]);
                all.push(vec![format!("-{short}"), value.to_owned()]);
            } else {
                all.push(vec![format!("-{short}")]);
            }
        }
        all
    }

    #[test]
    fn every_flag_of_every_command_is_a_flag_whatever_its_value() {
        let root = built_command();
        let mut all = Vec::new();
        commands(&root, &[], &mut all);
        let (mut tried, mut filters) = (0, 0);
        for (path, command) in &all {
            let is_filtered = takes_filter(command);
            filters += u32::from(is_filtered);
            for flag in command.get_arguments().filter(|flag| !flag.is_positional()) {
                for value in ["events", "relay", "crm", "7", "a=b"] {
                    for spelling in spellings(flag, value) {
                        let terms = ["item:1", "-type:x", "-note:x", "events"].map(str::to_owned);
                        let typed = if is_filtered {
                            [path, &terms[..2], &spelling, &terms[2..]].concat()
                        } else {
                            [path, &spelling[..]].concat()
                        };
                        let expected = if is_filtered {
                            [path, &spelling[..], &["--".to_owned()], &terms[..]].concat()
                        } else {
                            typed.clone()
                        };
                        let words: Vec<&str> = typed.iter().map(String::as_str).collect();
                        assert_eq!(sort(&root, &words), expected, "{typed:?}");
                        tried += 1;
                    }
                }
            }
        }
        assert!(tried > 500 && filters > 0, "{tried} {filters}");
    }

    #[test]
    fn words_that_are_commands_elsewhere_are_words() {
        let root = built_command();
        for words in [
            &["listen", "3000", "-n", "events"][..],
            &["listen", "-fevents", "--name", "relay"],
            &["--config", "events", "listen", "3000", "-x"],
            &["-c", "events", "show", "-events"],
            &["trigger", "events", "-x"],
            &["help", "events"],
        ] {
            assert_eq!(sort(&root, words), words, "{words:?}");
        }
    }

    #[test]
    fn an_unknown_letter_is_left_to_clap_and_an_unknown_word_is_a_term() {
        let root = built_command();
        assert_eq!(sort(&root, &["events", "-x"]), ["events", "-x"]);
        assert_eq!(
            sort(&root, &["events", "--nmae", "x"])[..2],
            ["events", "--nmae"]
        );
        assert_eq!(sort(&root, &["events", "-xyz"]), ["events", "--", "-xyz"]);
        assert_eq!(
            sort(&root, &["events", "-hook:9"]),
            ["events", "--", "-hook:9"]
        );
        let global = ["-c", "events", "events", "-x:1", "-v", "a"];
        let sorted = ["-c", "events", "events", "-v", "--", "-x:1", "a"];
        assert_eq!(sort(&root, &global), sorted);
    }
}
