//! Draws one row per tunnel: its link, name, target, and number of queued events.

use podtap_agent::{LinkState, ServiceState, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::{ShownTunnel, TunnelsPane};
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context};
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::theme::Role;
use crate::words;

/// Maximum width of the window, in cells.
const WIDTH: u16 = 90;

/// Maximum width of a name, in cells. Longer names are cut.
const MOST_NAME: usize = 24;

/// Returns the area of the table.
pub(crate) fn area(pane: &TunnelsPane, screen: Rect) -> Rect {
    area_of(pane.rows.len(), screen)
}

fn area_of(rows: usize, screen: Rect) -> Rect {
    centered(screen, WIDTH, cells(rows + 2))
}

/// Returns the number of rows that fit in the window.
pub(super) fn height(rows: usize, screen: Rect) -> usize {
    usize::from(inner(area_of(rows, screen)).height)
}

/// Draws the table over `screen`.
pub(crate) fn view(pane: &TunnelsPane, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let area = area(pane, screen);
    Clear.render(area, buffer);
    let keys = [(Action::Open, "switches"), (Action::Back, "closes")];
    let titles = Titles {
        left: Line::of(Role::Strong, "Tunnels"),
        right: Line::of(Role::Quiet, env.keymap.hints(Context::Table, &keys)),
        below: Line::new(),
    };
    Frame {
        focused: true,
        titles,
    }
    .draw(area, env.theme, buffer);
    let lines = inner(area);
    let names = pane.rows.iter().map(|row| row.name.chars().count());
    let width = names.max().unwrap_or(0).min(MOST_NAME);
    let height = usize::from(lines.height);
    let rows = pane.rows.iter().enumerate();
    let rows = rows.skip(pane.first(height.max(1))).take(height);
    for ((index, tunnel), place) in rows.zip(lines.rows()) {
        row(tunnel, width).draw(place, env.theme, buffer);
        if index == pane.cursor {
            buffer.set_style(place, env.theme.selection(true));
        }
    }
}

fn row(tunnel: &ShownTunnel, width: usize) -> Line {
    let status = &tunnel.status;
    let (role, sign) = match &status.link {
        LinkState::Up { .. } => (Role::Ok, "●"),
        LinkState::Connecting { .. } => (Role::Waiting, "◌"),
        LinkState::Off => (Role::Quiet, "○"),
        LinkState::Stopped { .. } => (Role::Failed, "✗"),
    };
    let here = if tunnel.is_here { "▶ " } else { "  " };
    let name = if tunnel.is_here {
        Role::Strong
    } else {
        Role::Plain
    };
    let line = Line::of(Role::Accent, here)
        .with(role, sign)
        .space(1)
        .column(name, tunnel.name.as_str(), width + 2);
    match &status.link {
        LinkState::Stopped { reason } => line.with(Role::Failed, reason.as_str()),
        LinkState::Connecting {
            reason: Some(reason),
            ..
        } => line.with(Role::Waiting, reason.as_str()),
        _ => line.join(way(status)),
    }
}

fn way(status: &Status) -> Line {
    let line = match &status.target {
        Some(target) => Line::of(Role::Plain, words::target(target)),
        None => Line::of(Role::Quiet, "no local service"),
    };
    let line = match &status.service {
        ServiceState::Down { reason, .. } => line.with(Role::Failed, format!(" ✗ {reason}")),
        ServiceState::Up { .. } | ServiceState::Unknown => line,
    };
    match status.pending + status.backlog {
        0 => line,
        waiting => line.with(
            Role::Waiting,
            format!("  {} waiting", words::number(waiting)),
        ),
    }
}
