//! What the word before the cursor of the filter line may become: a saved filter behind `@`, else
//! a word that stands before a colon.

use podtap_agent::history::{Filter, Saved};

/// The ways in which the word before the cursor can go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Completion {
    /// What has been typed of it.
    typed: String,
    /// All that begin so, in the order of their list, each with what stands behind it.
    found: Vec<String>,
}

impl Completion {
    /// For a line with this text before the cursor. There is none within quotes, nor before
    /// anything was typed.
    pub(super) fn of(before: &str, saved: &Saved) -> Self {
        let in_quotes = before.matches('"').count() % 2 == 1;
        let word = before
            .rsplit(char::is_whitespace)
            .next()
            .unwrap_or_default();
        let word = word.strip_prefix('-').unwrap_or(word);
        if in_quotes || word.is_empty() {
            return Self::default();
        }
        let found = if word.starts_with('@') {
            let names = saved.iter().map(|(name, _)| format!("@{name} "));
            names.filter(|name| name.starts_with(word)).collect()
        } else {
            let words = Filter::words().map(|name| format!("{name}:"));
            words.filter(|name| name.starts_with(word)).collect()
        };
        Self {
            typed: word.to_owned(),
            found,
        }
    }

    /// What is sure to follow what was typed; empty where nothing is.
    pub(super) fn rest(&self) -> String {
        let shared = |one: &str, other: &str| -> String {
            let pairs = one.chars().zip(other.chars());
            pairs.take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        };
        let whole = self.found.iter().cloned();
        let whole = whole.reduce(|one, other| shared(&one, &other));
        let whole = whole.unwrap_or_default();
        whole
            .strip_prefix(&self.typed)
            .unwrap_or_default()
            .to_owned()
    }

    /// The words to offer, unless the only one has been typed.
    pub(super) fn offers(&self) -> Option<String> {
        let words: Vec<&str> = self.found.iter().map(|word| word.trim_end()).collect();
        match words.as_slice() {
            [] => None,
            [only] if *only == self.typed => None,
            several => Some(several.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::saved;

    fn completed(before: &str) -> String {
        let saved = saved(&[
            ("errors", "status:5xx"),
            ("errands", "task:1"),
            ("mine", "hook:1"),
        ]);
        format!("{before}{}", Completion::of(before, &saved).rest())
    }

    #[test]
    fn a_word_is_completed_as_far_as_it_is_sure() {
        for (before, after) in [
            ("@m", "@mine "),
            ("item:1 -@m", "item:1 -@mine "),
            ("@e", "@err"),
            ("@erro", "@errors "),
            ("ty", "type:"),
            ("-ty", "-type:"),
            ("x", "x"),
            ("@x", "@x"),
            ("", ""),
            ("\"ty", "\"ty"),
            ("type:st", "type:st"),
        ] {
            assert_eq!(completed(before), after, "{before:?}");
        }
    }

    #[test]
    fn what_is_not_sure_yet_is_offered() {
        let saved = saved(&[("errors", "status:5xx"), ("errands", "task:1")]);
        let offers = |before| Completion::of(before, &saved).offers();
        assert_eq!(offers("@err").as_deref(), Some("@errands @errors"));
        assert_eq!(offers("@errors"), None);
        assert_eq!(offers("zzz"), None);
    }
}
