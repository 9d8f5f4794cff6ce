//! Formats a title and the changed fields in a few cells:
//! `Login fails on Safari r8 · Due – → 4 Jan`.

use podtap_agent::{ExplainedField, RememberedEvent};

use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;

/// Maximum number of cells of a title.
const TITLE: usize = 120;

/// Maximum number of cells of a value before or after a change.
const VALUE: usize = 20;

/// Maximum number of changed fields to show. The detail shows all of them.
const FIELDS: usize = 3;

/// Minimum room in which a long title is cut to leave space for the changes.
const SHARED: usize = 28;

/// Minimum number of cells in which the changes are shown.
const CHANGE: usize = 12;

/// What the list shows about an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EventSummary {
    title: SafeText,
    /// The changed fields, each as text.
    changes: Vec<SafeText>,
    /// Number of changed fields that are not in `changes`.
    more: usize,
}

impl EventSummary {
    /// Creates the summary, cut to what a row can show at most.
    pub(super) fn of(told: &RememberedEvent) -> Self {
        let title = told.title.as_deref().unwrap_or_default();
        // The title is already shown beside the changes.
        let changes = told.changes.iter().filter(|change| !change.repeats(title));
        Self {
            title: SafeText::new(title).fit(TITLE),
            ..Self::listing(changes)
        }
    }

    /// Creates the summary of these changes, cut to what a row can show at most.
    pub(crate) fn of_changes(changes: &[ExplainedField]) -> Self {
        Self::listing(changes.iter())
    }

    fn listing<'a>(mut changes: impl Iterator<Item = &'a ExplainedField>) -> Self {
        Self {
            title: SafeText::default(),
            changes: changes.by_ref().take(FIELDS).map(change).collect(),
            more: changes.count(),
        }
    }

    /// Returns the changes in exactly `room` cells.
    pub(crate) fn changes(&self, room: usize) -> Line {
        self.all_changes("").fit(room)
    }

    /// Returns every change, with `first` before the first one.
    fn all_changes(&self, first: &'static str) -> Line {
        let mut line = Line::new();
        let gaps = [first].into_iter().chain(std::iter::repeat(" · "));
        for (change, gap) in self.changes.iter().zip(gaps) {
            line = line
                .with(Role::Quiet, gap)
                .with(Role::Name, change.as_str());
        }
        if self.more > 0 {
            line = line.with(Role::Quiet, format!(" +{}", self.more));
        }
        line
    }

    /// Returns whether the object has a name.
    pub(crate) fn has_title(&self) -> bool {
        !self.title.as_str().is_empty()
    }

    /// Returns title, revision and changes in exactly `room` cells. The revision is never cut.
    pub(crate) fn line(&self, revision: Option<u64>, room: usize) -> Line {
        let revision = revision.map(|revision| format!(" r{revision}"));
        let revision = SafeText::new(revision.as_deref().unwrap_or_default());
        let changes = self.all_changes(" · ");
        let reserved = match changes.width().min(room / 2) {
            reserved if room >= SHARED => reserved,
            _ => 0,
        };
        let title = room.saturating_sub(reserved + revision.width());
        let title = self.title.fit(title);
        let line = Line::of(Role::Text, title.as_str()).with(Role::Quiet, revision.as_str());
        match room.saturating_sub(line.width()) {
            left if left >= CHANGE.min(changes.width()) => line.join(changes).fit(room),
            _ => line.fit(room),
        }
    }
}

/// Formats a change as `Due – → 4 Jan`.
fn change(change: &ExplainedField) -> SafeText {
    let [from, to] = [&change.from, &change.to].map(|value| match value.as_str() {
        "" => SafeText::new("–"),
        value => SafeText::new(value).fit(VALUE),
    });
    let text = format!("{} {} → {}", change.field, from.as_str(), to.as_str());
    SafeText::new(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(title: &str, changes: &[(&str, &str, &str)]) -> String {
        let changes = changes.iter().map(|(field, from, to)| ExplainedField {
            field: (*field).to_owned(),
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        });
        let told = RememberedEvent {
            title: Some(title.to_owned()),
            changes: changes.collect(),
            ..RememberedEvent::default()
        };
        let line = EventSummary::of(&told).line(None, 100);
        line.text().trim_end().to_owned()
    }

    #[test]
    fn a_new_or_deleted_item_does_not_tell_its_title_twice() {
        let rest = [
            ("Status", "", "New"),
            ("Due", "", "4 Jan"),
            ("Cost", "", "3"),
        ];
        let told = [("Title", "", "Oak frames")];
        assert_eq!(
            line("Oak frames", &[&told[..], &rest[..]].concat()),
            "Oak frames · Status – → New · Due – → 4 Jan · Cost – → 3"
        );
        assert_eq!(
            line("Oak frames", &[("Name", "Oak frames", "")]),
            "Oak frames"
        );
        assert_eq!(
            line("Oak frames", &[("Title", "Oak", "Oak frames")]),
            "Oak frames · Title Oak → Oak frames",
            "what it was called before stands nowhere else"
        );
        assert_eq!(
            line("", &[("Title", "", ""), ("Status", "", "New")]),
            " · Title – → – · Status – → New",
            "without a title there is nothing to repeat"
        );
    }
}
