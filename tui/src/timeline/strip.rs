//! The row of marks, one cell per entry, the oldest at the left, with the
//! outcome of each entry below it.

use podtap_agent::figures::{Timeline, TimelineEntry};

use super::mark::ChangeMark;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Cells of a label at either end.
const END: usize = 7;

/// Returns marks, outcomes and legend, on lines of `width` cells. `cursor` is
/// an index; 0 is the newest entry.
pub(super) fn strip(timeline: &Timeline, cursor: usize, width: usize) -> [Line; 3] {
    let entries = &timeline.entries;
    let room = width.saturating_sub(2 * END).max(1);
    let cursor = entries.len().saturating_sub(cursor + 1);
    // The strip shows the entry of the cursor, and otherwise as many of the newest entries as fit.
    let end = entries.len().min((cursor + room / 2).max(room));
    let first = end.saturating_sub(room);
    let shown = entries.get(first..end).unwrap_or_default();
    let label = |entry: Option<&TimelineEntry>| entry.map(revision).unwrap_or_default();
    let mut marks = Line::new().column(Role::Quiet, label(shown.first()), END);
    let mut outcomes = Line::new().space(END);
    for (index, entry) in (first..).zip(shown) {
        let (role, cell) = ChangeMark::of(entry).cell();
        let role = if index == cursor { Role::Cursor } else { role };
        marks = marks.with(role, cell);
        let (role, sign) = outcome(entry);
        outcomes = outcomes.with(role, sign);
    }
    marks = marks.space(1).with(Role::Quiet, label(shown.last()));
    let mut legend = Line::new();
    for mark in ChangeMark::ALL {
        if entries.iter().any(|entry| ChangeMark::of(entry) == mark) {
            let (role, cell) = mark.cell();
            legend = legend.with(role, cell).space(1);
            legend = legend.with(Role::Quiet, mark.words()).space(2);
        }
    }
    // The legend begins below the marks if there is enough room.
    let indent = width.saturating_sub(legend.width()).min(END);
    [marks, outcomes, Line::new().space(indent).join(legend)]
}

/// Returns the revision at an end of the strip.
fn revision(entry: &TimelineEntry) -> String {
    let revision = match entry {
        TimelineEntry::Event(event) => event.row.revision,
        TimelineEntry::Missing { from, .. } => Some(*from),
    };
    revision.map_or_else(String::new, |revision| format!("r{revision}"))
}

/// Returns the outcome of an entry, in one cell.
fn outcome(entry: &TimelineEntry) -> (Role, String) {
    let TimelineEntry::Event(event) = entry else {
        return (Role::Quiet, " ".to_owned());
    };
    let (role, words) = words::outcome(&event.row);
    let sign = words.chars().next().unwrap_or(' ');
    (role, sign.to_string())
}
