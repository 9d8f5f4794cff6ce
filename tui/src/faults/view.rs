//! Draws the heading, the visible rows, and details of the selected fault below them.

use podtap_agent::history::FailureGroup;
use podtap_agent::likely;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::FaultsPane;
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context};
use crate::layout::{inner, table};
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Maximum width of the window, in cells.
const WIDTH: u16 = 140;

/// Lines below the rows.
const LINES: usize = 4;

const GUTTER: usize = 2;
const EVENTS: usize = 7;
const LAST: usize = 8;
const ANSWER: usize = 8;

/// Cells of a label below the rows.
const LABEL: usize = 10;

/// Returns the area of the table.
pub(crate) fn area(screen: Rect) -> Rect {
    table(screen, WIDTH)
}

/// Returns the number of rows that fit in the window, besides a heading, a gap and the details.
pub(super) fn height(screen: Rect) -> usize {
    usize::from(inner(area(screen)).height).saturating_sub(1 + 1 + LINES)
}

/// Draws the table over `screen`.
pub(crate) fn view(pane: &FaultsPane, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let (area, height) = (area(screen), height(screen));
    Clear.render(area, buffer);
    let titles = titles(pane, env, height);
    let focused = true;
    Frame { focused, titles }.draw(area, env.theme, buffer);
    let lines = inner(area);
    if pane.rows().is_empty() {
        let line = match (&pane.failure, &pane.failures) {
            (Some(failure), _) => Line::of(Role::Failed, failure),
            (None, Some(_)) => Line::of(Role::Quiet, "No delivery has failed."),
            (None, None) => Line::of(Role::Quiet, "Reading …"),
        };
        return line.draw(lines, env.theme, buffer);
    }
    let mut places = lines.rows();
    if let Some(place) = places.next() {
        heading().draw(place, env.theme, buffer);
    }
    let cursor = pane.cursor();
    let rows = pane.rows().iter().enumerate();
    let rows = rows.skip(pane.first(height.max(1))).take(height);
    for ((index, group), place) in rows.zip(places.by_ref()) {
        let is_selected = index == cursor;
        row(group, is_selected, env).draw(place, env.theme, buffer);
        if is_selected {
            buffer.set_style(place, env.theme.selection(true));
        }
    }
    let Some(group) = pane.selected_group() else {
        return;
    };
    let below = lines.rows().rev().take(LINES).collect::<Vec<_>>();
    for (line, place) in about(group, env).iter().zip(below.into_iter().rev()) {
        line.draw(place, env.theme, buffer);
    }
}

fn heading() -> Line {
    let left = |line: Line, text: &str, cells: usize| line.column(Role::Quiet, text, cells);
    let right = |line: Line, text: &str, cells: usize| line.column_right(Role::Quiet, text, cells);
    let line = right(Line::new().space(GUTTER), "events", EVENTS);
    let line = right(line, "last", LAST);
    let line = left(line.space(2), "answer", ANSWER);
    line.with(Role::Quiet, "says")
}

fn row(group: &FailureGroup, is_selected: bool, env: Env<'_>) -> Line {
    let sign = if is_selected { "▶" } else { " " };
    let answer = match group.status {
        Some(status) => status.to_string(),
        None => "✗ none".to_owned(),
    };
    Line::new()
        .column(Role::Accent, sign, GUTTER)
        .column_right(Role::Plain, words::number(group.events), EVENTS)
        .column_right(Role::Quiet, words::since(group.last_at, env.now), LAST)
        .space(2)
        .column(Role::Failed, answer, ANSWER)
        .with(Role::Plain, group.line.as_str())
}

/// Returns the details of a fault.
fn about(group: &FailureGroup, env: Env<'_>) -> [Line; LINES] {
    let likely = likely::of(group.outcome());
    let first = words::moment(group.first_at, env.now, env.zone);
    let objects = match group.objects {
        1 => "1 object".to_owned(),
        many => format!("{} objects", words::number(many as u64)),
    };
    let pair = |label: &str, text: String| {
        Line::new()
            .column(Role::Quiet, label, LABEL)
            .with(Role::Plain, text)
    };
    [
        Line::of(Role::Strong, group.line.as_str()),
        pair("probably", likely.reason.to_owned()),
        pair("try", likely.cure.to_owned()),
        pair(
            "since",
            format!("{first} · {objects} · {}", group.types.join(", ")),
        ),
    ]
}

fn titles(pane: &FaultsPane, env: Env<'_>, height: usize) -> Titles {
    let left = Line::of(Role::Strong, "Failures");
    let (all, cursor) = (pane.rows().len(), pane.cursor());
    let right = if all > height {
        Line::of(Role::Quiet, format!("{}/{all}", cursor + 1))
    } else {
        let keys = [(Action::Open, "shows them"), (Action::Back, "closes")];
        Line::of(Role::Quiet, env.keymap.hints(Context::Table, &keys))
    };
    let is_cut = pane
        .failures
        .as_ref()
        .is_some_and(|failures| failures.is_cut);
    let below = if is_cut {
        Line::of(Role::Quiet, "there are older ones")
    } else {
        Line::new()
    };
    Titles { left, right, below }
}
