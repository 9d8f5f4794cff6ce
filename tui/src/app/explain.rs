//! What Podio knows of the selected event: asked for by a key, never by itself, since each costs
//! calls of the hour.

use podtap_agent::Explanation;

use super::App;
use crate::effect::Effect;
use crate::line::Line;
use crate::modal::Modal;
use crate::modal::lines::Lines;
use crate::theme::Role;

/// Cells of a label, and of a field's name.
const LABEL: usize = 10;
const FIELD: usize = 18;

impl App {
    /// Asks what the selected event was about.
    pub(super) fn explain(&mut self, effects: &mut Vec<Effect>) {
        if let Some(id) = self.list.selected().map(|row| row.id) {
            self.toasts.show(Role::Quiet, "Asking Podio …", self.now);
            effects.push(Effect::Explain { id });
        }
    }

    /// Podio has answered, or not.
    pub(super) fn explained(&mut self, result: Result<Box<Explanation>, String>) {
        match result {
            Ok(explanation) => {
                let window = Lines::new("What changed", "esc closes", lines(&explanation));
                self.modals.push(Modal::Lines(window));
            }
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }
}

fn lines(explanation: &Explanation) -> Vec<Line> {
    let known = [
        ("title", &explanation.title),
        ("app", &explanation.app),
        ("by", &explanation.who),
        ("through", &explanation.via),
        ("at", &explanation.when),
        ("link", &explanation.link),
    ];
    let labelled = |label: &str| Line::new().column(Role::Quiet, label, LABEL);
    let mut lines: Vec<Line> = known
        .iter()
        .filter_map(|(label, value)| {
            let role = if *label == "title" {
                Role::Strong
            } else {
                Role::Plain
            };
            Some(labelled(label).put(role, value.as_deref()?))
        })
        .collect();
    if !explanation.changes.is_empty() {
        lines.push(Line::new());
    }
    lines.extend(explanation.changes.iter().map(|change| {
        Line::new()
            .column(Role::Name, &change.field, FIELD)
            .put(Role::Quiet, shown(&change.from))
            .put(Role::Quiet, " → ")
            .put(Role::Plain, shown(&change.to))
    }));
    if !explanation.notes.is_empty() {
        lines.push(Line::new());
    }
    lines.extend(
        explanation
            .notes
            .iter()
            .map(|note| Line::of(Role::Quiet, note)),
    );
    if lines.is_empty() {
        lines.push(Line::of(Role::Quiet, "Podio says nothing of this event."));
    }
    lines
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "–" } else { value }
}

#[cfg(test)]
mod tests {
    use podtap_agent::FieldChange;

    use super::*;

    #[test]
    fn changes_are_old_to_new_and_notes_are_told() {
        let explanation = Explanation {
            title: Some("Login fails on Safari".to_owned()),
            changes: vec![FieldChange {
                field: "Status".to_owned(),
                from: "Open".to_owned(),
                to: String::new(),
            }],
            notes: vec!["the item is gone".to_owned()],
            ..Explanation::default()
        };
        let text: Vec<String> = lines(&explanation).iter().map(Line::text).collect();
        assert!(text[0].ends_with("Login fails on Safari"), "{text:?}");
        assert!(
            text.iter().any(|line| line.ends_with("Open → –")),
            "{text:?}"
        );
        assert_eq!(text.last().map(String::as_str), Some("the item is gone"));
    }
}
