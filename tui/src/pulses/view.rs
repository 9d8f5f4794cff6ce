//! Draws the heading, the visible rows, and below them how close the
//! selected hook is to each limit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::Pulses;
use super::about::{LINES, about};
use super::columns::PulseColumns;
use super::row::{heading, row};
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context};
use crate::layout::{inner, table};
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Maximum width of the window, in cells.
const WIDTH: u16 = 182;

/// Returns the area of the table.
pub(crate) fn area(screen: Rect) -> Rect {
    table(screen, WIDTH)
}

/// Returns the number of rows that fit in the window, besides a heading, a gap and the details.
pub(super) fn height(screen: Rect) -> usize {
    usize::from(inner(area(screen)).height).saturating_sub(1 + 1 + LINES)
}

/// Draws the table over `screen`.
pub(crate) fn view(pulses: &Pulses, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let (area, height) = (area(screen), height(screen));
    Clear.render(area, buffer);
    let titles = titles(pulses, env, height);
    let focused = true;
    Frame { focused, titles }.draw(area, env.theme, buffer);
    let lines = inner(area);
    let width = usize::from(lines.width);
    let columns = PulseColumns::of(width);
    let mut places = lines.rows();
    if pulses.rows().is_empty() {
        let line = match (&pulses.failure, &pulses.traffic) {
            (Some(failure), _) => Line::of(Role::Failed, failure),
            (None, Some(_)) => Line::of(Role::Quiet, "No hook has called within a day."),
            (None, None) => Line::of(Role::Quiet, "Counting …"),
        };
        return line.draw(lines, env.theme, buffer);
    }
    if let Some(place) = places.next() {
        heading(columns).draw(place, env.theme, buffer);
    }
    let cursor = pulses.cursor();
    let rows = pulses.rows().iter().enumerate();
    let rows = rows.skip(pulses.first(height.max(1))).take(height);
    for ((index, hook), place) in rows.zip(places.by_ref()) {
        let is_selected = index == cursor;
        row(hook, is_selected, columns, env).draw(place, env.theme, buffer);
        if is_selected {
            buffer.set_style(place, env.theme.selection(true));
        }
    }
    let Some(hook) = pulses.selected_hook() else {
        return;
    };
    let below = lines.rows().rev().take(LINES).collect::<Vec<_>>();
    for (line, place) in about(hook, width).iter().zip(below.into_iter().rev()) {
        line.draw(place, env.theme, buffer);
    }
}

fn titles(pulses: &Pulses, env: Env<'_>, height: usize) -> Titles {
    let mut left = Line::of(Role::Strong, "Pulses");
    if let Some(traffic) = &pulses.traffic {
        let since = words::moment(traffic.since, env.now, env.zone);
        left = left.with(Role::Quiet, format!(" since {since}"));
    }
    let (all, cursor) = (pulses.rows().len(), pulses.cursor());
    let right = if all > height {
        Line::of(Role::Quiet, format!("{}/{all}", cursor + 1))
    } else {
        let keys = [(Action::Open, "shows them"), (Action::Back, "closes")];
        Line::of(Role::Quiet, env.keymap.hints(Context::Table, &keys))
    };
    let left_out = pulses
        .traffic
        .as_ref()
        .map_or(0, |traffic| traffic.left_out);
    let below = match u64::try_from(left_out).unwrap_or(u64::MAX) {
        0 => Line::new(),
        more => Line::of(Role::Quiet, format!("{} more", words::number(more))),
    };
    Titles { left, right, below }
}
