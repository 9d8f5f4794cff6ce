//! Draws the strip, the heading, and the visible entries.

use podtap_agent::figures::{Timeline, TimelineEntry};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::TimelinePane;
use super::columns::{GUTTER, MARK, OUTCOME, REVISION, TimelineColumns};
use super::row::row;
use super::strip::strip;
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context};
use crate::layout::{inner, table};
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Maximum width of the window, in cells.
const WIDTH: u16 = 140;

/// Lines above the entries: marks, outcomes, legend, heading.
pub(super) const ABOVE: usize = 4;

/// Cells of a time without and with the date.
const TIME: usize = 8;
const DAY_AND_TIME: usize = 12;

/// Returns the area of the window.
pub(crate) fn area(screen: Rect) -> Rect {
    table(screen, WIDTH)
}

/// Returns the number of entries that fit in the window.
pub(super) fn height(_: &TimelinePane, screen: Rect) -> usize {
    usize::from(inner(area(screen)).height).saturating_sub(ABOVE)
}

/// Draws the timeline over `screen`.
pub(crate) fn view(pane: &TimelinePane, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let area = area(screen);
    Clear.render(area, buffer);
    let titles = titles(pane, env, height(pane, screen));
    let focused = true;
    Frame { focused, titles }.draw(area, env.theme, buffer);
    let lines = inner(area);
    let Some(timeline) = &pane.timeline else {
        let line = match &pane.failure {
            Some(failure) => Line::of(Role::Failed, failure),
            None => Line::of(Role::Quiet, "Reading what happened …"),
        };
        return line.draw(lines, env.theme, buffer);
    };
    let width = usize::from(lines.width);
    let times = pane.newest_first().filter_map(received_at);
    let times = times.map(|at| words::moment(at, env.now, env.zone).chars().count());
    let time = match times.max() {
        Some(..=TIME) | None => TIME,
        Some(_) => DAY_AND_TIME,
    };
    let columns = TimelineColumns::of(width, time);
    let mut rows = lines.rows();
    let above = strip(timeline, pane.cursor, width).into_iter();
    for (line, area) in above.chain([heading(columns)]).zip(rows.by_ref()) {
        line.draw(area, env.theme, buffer);
    }
    let first = pane.first(height(pane, screen).max(1));
    let entries = pane.newest_first().enumerate().skip(first);
    for ((index, entry), area) in entries.zip(rows) {
        let before = pane.newest_first().skip(index + 1).find_map(received_at);
        let is_selected = index == pane.cursor;
        row(entry, before, is_selected, columns, env).draw(area, env.theme, buffer);
        if is_selected {
            buffer.set_style(area, env.theme.selection(true));
        }
    }
}

fn received_at(entry: &TimelineEntry) -> Option<jiff::Timestamp> {
    match entry {
        TimelineEntry::Event(event) => Some(event.row.received_at),
        TimelineEntry::Missing { .. } => None,
    }
}

fn titles(pane: &TimelinePane, env: Env<'_>, height: usize) -> Titles {
    let mut left = Line::of(Role::Strong, pane.object.to_string());
    let timeline = pane.timeline.as_deref();
    if let Some(title) = timeline.and_then(|timeline| timeline.title.as_ref()) {
        left = left.with(Role::Quiet, " · ").with(Role::Text, title);
    }
    if let Some(app) = timeline.and_then(|timeline| timeline.app.as_ref()) {
        left = left.with(Role::Quiet, " · ").with(Role::Plain, app);
    }
    let all = pane.newest_first().len();
    let last = (pane.first(height.max(1)) + height).min(all);
    let right = if all > height {
        Line::of(Role::Quiet, format!("{last}/{all}"))
    } else {
        let keys = [(Action::Open, "opens"), (Action::Back, "closes")];
        Line::of(Role::Quiet, env.keymap.hints(Context::Table, &keys))
    };
    let below = timeline.map(below).unwrap_or_default();
    Titles { left, right, below }
}

/// Returns the loop that the object is in; if it is in none, the number of
/// entries that are not shown.
fn below(timeline: &Timeline) -> Line {
    if let Some(found) = timeline.loops.first() {
        let pace = found.pace();
        if found.is_suspected() {
            let text = format!("⚠ loop? {pace}; write with hook=false");
            return Line::of(Role::Warning, text);
        }
        return Line::of(Role::Quiet, format!("{pace}, {}", found.maker));
    }
    match timeline.left_out {
        0 => Line::new(),
        more => Line::of(
            Role::Quiet,
            format!("{} before", words::count(more, "event")),
        ),
    }
}

fn heading(columns: TimelineColumns) -> Line {
    let quiet = |line: Line, text: &str, cells: usize| line.column(Role::Quiet, text, cells);
    let line = Line::new().space(GUTTER);
    let line = quiet(line, "time", columns.time + 1);
    let line = quiet(line, "after", columns.after);
    let line = quiet(line, "rev", REVISION);
    let line = quiet(line, "", MARK);
    let line = quiet(line, "who · through", columns.who - 1).space(1);
    let line = quiet(line, "event", columns.kind);
    let line = quiet(line, "answer", OUTCOME);
    quiet(line, "changed", columns.changed)
}
