//! Patterns with `*` for any run of characters; everything else stands for itself.

/// A text with `*` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that `text` spells; neighbouring `*` are one.
    pub fn new(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '*' || !pattern.ends_with('*') {
                pattern.push(c);
            }
        }
        Self(pattern)
    }

    /// The pattern for everything that begins with `text`.
    pub fn prefix(text: &str) -> Self {
        Self::new(&format!("{text}*"))
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text that is meant, where there is no `*` in it.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&self.0)
    }

    /// Whether all of `text` matches. Linear in text times pattern, whatever the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let Some((head, rest)) = self.0.split_once('*') else {
            return self.0 == text;
        };
        let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(text) = text
            .strip_prefix(head)
            .and_then(|text| text.strip_suffix(tail))
        else {
            return false;
        };
        middle
            .split('*')
            .try_fold(text, |text, part| {
                text.split_once(part).map(|(_, rest)| rest)
            })
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters_and_the_rest_for_itself() {
        for (pattern, text, matches) in [
            ("item.*", "item.update", true),
            ("item.*", "items", false),
            ("*.update", "item.update", true),
            ("*", "", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a[b]?", "a[b]?", true),
            ("a[b]?", "abx", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                matches,
                "{pattern} on {text}"
            );
        }
    }
}
