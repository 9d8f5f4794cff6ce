//! Shows what an event changed, as Podio reports it. If Podio has not been
//! asked yet, shows which keys ask.

use podtap_agent::{ExplainedField, Explanation};
use podtap_podio::wording::Piece;

use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::theme::Role;

/// Cells of a label, or of the name of a field.
const LABEL: usize = 18;

/// Returns the lines of the tab Diff if no explanation or comparison was just requested.
pub(super) fn sheet(explanation: Option<&Explanation>) -> Vec<Line> {
    match explanation {
        Some(explanation) => explanation_lines(explanation),
        None => vec![Line::of(Role::Quiet, "What changed is not known yet.")],
    }
}

/// Returns the keys that fill the tab, for an event of which nothing is known.
pub(super) fn hint(keymap: &Keymap) -> Vec<Line> {
    let explain = keymap.hints(Context::Browse, &[(Action::Explain, "asks Podio")]);
    let mark = keymap.hints(
        Context::List,
        &[(Action::Mark, "in the list marks an event")],
    );
    let compare = (Action::Compare, "compares with the marked event");
    let compare = keymap.hints(Context::Browse, &[compare]);
    let said = [explain, mark, compare].into_iter();
    let said = said.filter(|line| !line.is_empty());
    said.map(|line| Line::of(Role::Quiet, line)).collect()
}

/// Returns the lines of an explanation.
pub(crate) fn explanation_lines(explanation: &Explanation) -> Vec<Line> {
    let fact = |(label, value): (&str, &str)| {
        let role = if label == "title" {
            Role::Strong
        } else {
            Role::Plain
        };
        Line::new()
            .column(Role::Quiet, label, LABEL)
            .with(role, value)
            .hanging(LABEL)
    };
    let mut lines: Vec<Line> = explanation.facts().map(fact).collect();
    if !explanation.changes.is_empty() {
        lines.push(Line::new());
    }
    lines.extend(explanation.changes.iter().map(|changed| {
        Line::new()
            .column(Role::Name, &changed.field, LABEL)
            .join(change(changed))
            .hanging(LABEL)
    }));
    if !explanation.notes.is_empty() {
        lines.push(Line::new());
    }
    let notes = explanation.notes.iter();
    lines.extend(notes.map(|note| Line::of(Role::Quiet, note)));
    if lines.is_empty() {
        lines.push(Line::of(
            Role::Quiet,
            "Podio has no information about this event.",
        ));
    }
    lines
}

/// Returns the lines that show the former and the new value of a field.
pub(super) fn change(change: &ExplainedField) -> Line {
    if let Some(pieces) = change.pieces() {
        let piece = |line: Line, piece| match piece {
            Piece::Same(text) => line.with(Role::Plain, text),
            Piece::Removed(text) => line.with(Role::Failed, format!("[-{}-] ", text.trim_end())),
            Piece::Added(text) => line.with(Role::Ok, format!("{{+{}+}} ", text.trim_end())),
            Piece::Skipped => line.with(Role::Quiet, "… "),
        };
        return pieces.into_iter().fold(Line::new(), piece);
    }
    Line::new()
        .with(Role::Failed, or_dash(&change.from))
        .with(Role::Quiet, " → ")
        .with(Role::Ok, or_dash(&change.to))
}

fn or_dash(value: &str) -> &str {
    if value.is_empty() { "–" } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_old_to_new_and_notes_are_told() {
        let explanation = Explanation {
            title: Some("Login fails on Safari".to_owned()),
            changes: vec![ExplainedField {
                field: "Status".to_owned(),
                from: "Open".to_owned(),
                to: String::new(),
            }],
            notes: vec!["the item is gone".to_owned()],
            ..Explanation::default()
        };
        let text: Vec<String> = explanation_lines(&explanation)
            .iter()
            .map(Line::text)
            .collect();
        assert!(text[0].ends_with("Login fails on Safari"), "{text:?}");
        assert!(
            text.iter().any(|line| line.ends_with("Open → –")),
            "{text:?}"
        );
        assert_eq!(text.last().map(String::as_str), Some("the item is gone"));
    }
}
