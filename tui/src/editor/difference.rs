//! Two texts → the lines in which they differ, with a little around them.

use similar::{ChangeTag, TextDiff};

use crate::line::Line;
use crate::theme::Role;

/// Equal lines shown around a change.
const CONTEXT: usize = 2;

/// Lines shown at most.
const MOST: usize = 2_000;

/// The difference between two texts; empty where there is none.
pub(crate) fn difference(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push(Line::of(Role::Quiet, "⋯"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (role, sign) = match change.tag() {
                ChangeTag::Equal => (Role::Quiet, "  "),
                ChangeTag::Delete => (Role::Failed, "- "),
                ChangeTag::Insert => (Role::Ok, "+ "),
            };
            let text = change.value().trim_end_matches(['\n', '\r']);
            lines.push(Line::of(role, sign).with(role, text));
            if lines.len() == MOST {
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
        let lines: Vec<String> = difference(before, after).iter().map(Line::text).collect();
        assert_eq!(lines, ["  3", "  4", "- 5", "+ five", "  6", "  7"]);
        assert_eq!(difference(before, before), []);
    }
}
