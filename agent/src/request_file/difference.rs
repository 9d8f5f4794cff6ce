//! Compares two texts and returns the lines that differ, with some context.

use similar::{ChangeTag, TextDiff};

/// Number of equal lines shown around a change.
const CONTEXT: usize = 2;

/// Maximum number of lines.
const MAX_LINES: usize = 2_000;

/// One line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    pub sign: DiffSign,
    /// The line without its end. Untrusted text.
    pub text: String,
}

/// Which of the two texts contains a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffSign {
    /// Both.
    Same,
    /// Only the first.
    Removed,
    /// Only the second.
    Added,
    /// Equal lines were left out here.
    LeftOut,
}

impl DiffSign {
    /// Returns the text before the line.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Same => "  ",
            Self::Removed => "- ",
            Self::Added => "+ ",
            Self::LeftOut => "⋯",
        }
    }
}

/// Returns the difference between two texts; empty if there is none.
pub fn difference(before: &str, after: &str) -> Vec<DiffLine> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            let (sign, text) = (DiffSign::LeftOut, String::new());
            lines.push(DiffLine { sign, text });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => DiffSign::Same,
                ChangeTag::Delete => DiffSign::Removed,
                ChangeTag::Insert => DiffSign::Added,
            };
            let text = change.value().trim_end_matches(['\n', '\r']).to_owned();
            lines.push(DiffLine { sign, text });
            if lines.len() >= MAX_LINES {
                return lines;
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_with_a_little_around_it() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n";
        let lines = difference(before, after);
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("{}{}", line.sign.prefix(), line.text))
            .collect();
        assert_eq!(lines, ["  3", "  4", "- 5", "+ five", "  6", "  7"]);
        assert_eq!(difference(before, before), []);
    }
}
