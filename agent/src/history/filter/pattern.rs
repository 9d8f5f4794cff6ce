//! Patterns in which `*` matches any run of characters; every other character matches itself.

/// A text that may contain `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// Parses a pattern; neighbouring `*` become one.
    pub fn new(text: &str) -> Self {
        let mut pattern = String::with_capacity(text.len());
        for c in text.chars() {
            if c != '*' || !pattern.ends_with('*') {
                pattern.push(c);
            }
        }
        Self(pattern)
    }

    /// Returns the pattern for everything that begins with `text`.
    pub fn prefix(text: &str) -> Self {
        Self::new(&format!("{text}*"))
    }

    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text to match, if it contains no `*`.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(&self.0)
    }

    /// Returns whether all of `text` matches. Takes time
    /// linear in text times pattern, for any pattern.
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
