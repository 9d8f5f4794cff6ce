//! Draws the top of the screen: tunnel, link, public URL → local service, and the current activity.
//! If there is not enough room, the least important parts are left out first.

use jiff::Timestamp;
use podtap_agent::{LinkState, ServiceState, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::env::Env;
use crate::line::{Line, cells};
use crate::rate::ArrivalRate;
use crate::replay::ReplayBatch;
use crate::theme::Role;
use crate::words;

/// Cells between two parts of a row.
const GAP: usize = 2;

/// The content of the header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    /// The name of the tunnel.
    pub(crate) tunnel: &'a str,
    /// The number of the tunnel, from 1, and how many tunnels there are;
    /// `None` if there is only one.
    pub(crate) place: Option<(usize, usize)>,
    /// The agent's status.
    pub(crate) status: &'a Status,
    /// The rate at which events arrive.
    pub(crate) rate: &'a ArrivalRate,
    /// The events that are being replayed.
    pub(crate) batch: Option<&'a ReplayBatch>,
    /// The number of events that were imported so far; `None` if no import is running.
    pub(crate) imported: Option<u64>,
}

/// Draws the header. If it has two rows, the second one shows the path of an event alone.
pub(crate) fn view(header: Header<'_>, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let theme = env.theme;
    let (first, second) = (
        Rect { height: 1, ..area },
        Rect {
            y: area.y + 1,
            height: 1,
            ..area
        },
    );
    let room = usize::from(area.width).saturating_sub(2);
    let mut left = tunnel(header, env.now);
    // On one row, the local service is more important than the chart of arrivals.
    let spare = if area.height > 1 {
        room / 2
    } else {
        let used = left.width() + service(header.status).width() + 2 * GAP;
        room.saturating_sub(used).min(room / 2)
    };
    let right = activity(header, spare);
    if area.height > 1 {
        route(header.status, room).draw(indent_area(second), theme, buffer);
    } else {
        let rest = room.saturating_sub(left.width() + right.width() + 2 * GAP);
        let way = route(header.status, rest);
        if way.width() <= rest {
            left = left.space(GAP).join(way);
        }
    }
    left.draw(indent_area(first), theme, buffer);
    let x = area.right().saturating_sub(cells(right.width()) + 1);
    if left.width() + right.width() + GAP <= room {
        right.draw(
            Rect {
                x,
                width: area.right() - x,
                ..first
            },
            theme,
            buffer,
        );
    }
}

fn indent_area(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    }
}

/// Returns the name of the tunnel and the state of the link.
fn tunnel(header: Header<'_>, now: Timestamp) -> Line {
    let (status, name) = (header.status, header.tunnel);
    let name = match header.place {
        Some((place, of)) => format!("{name} {place}/{of}"),
        None => name.to_owned(),
    };
    let line = Line::of(Role::Strong, "podtap ");
    match &status.link {
        LinkState::Off => line.with(Role::Quiet, "○ ").with(Role::Plain, name),
        LinkState::Up { .. } => line.with(Role::Ok, "● ").with(Role::Plain, name),
        LinkState::Connecting {
            attempt,
            reason,
            retry_at,
        } => {
            let line = line
                .with(Role::Waiting, "◌ ")
                .with(Role::Plain, name)
                .space(1);
            let wait = retry_at.map(|due| words::since(now, due));
            let wait = wait
                .map(|wait| format!(", again in {wait}"))
                .unwrap_or_default();
            match reason {
                Some(reason) => line.with(Role::Failed, format!("{reason}{wait}")),
                None if *attempt > 1 => line.with(Role::Waiting, format!("reconnecting{wait}")),
                None => line.with(Role::Waiting, "connecting"),
            }
        }
        LinkState::Stopped { reason } => line
            .with(Role::Failed, "✗ ")
            .with(Role::Plain, name)
            .with(Role::Failed, format!(" {reason}")),
    }
}

/// Returns public URL → local service, in `room` cells.
fn route(status: &Status, room: usize) -> Line {
    let service = service(status);
    let Some(url) = &status.public_url else {
        return service;
    };
    let arrow = Line::of(Role::Quiet, " → ");
    match room.checked_sub(service.width() + arrow.width()) {
        Some(room) if room >= 16 => Line::of(Role::Accent, words::shorten_url(url, room))
            .join(arrow)
            .join(service),
        _ => service,
    }
}

/// Returns the local service and its state.
fn service(status: &Status) -> Line {
    match (&status.target, &status.service) {
        (None, _) => Line::of(Role::Quiet, "no local service"),
        (Some(target), service) => {
            let target = match status.targets.len() {
                0 | 1 => words::target(target),
                many => words::count(u64::try_from(many).unwrap_or(u64::MAX), "target"),
            };
            let line = Line::of(Role::Plain, target).space(1);
            match service {
                ServiceState::Unknown => line.with(Role::Quiet, "○"),
                ServiceState::Up { .. } => line.with(Role::Ok, "● up"),
                ServiceState::Down { reason, .. } => line.with(Role::Failed, format!("✗ {reason}")),
            }
        }
    }
}

/// Returns the current activity, such as queued events and arrivals, in `room` cells.
fn activity(header: Header<'_>, room: usize) -> Line {
    let (status, rate) = (header.status, header.rate);
    let mut parts = Vec::new();
    if let Some(batch) = header.batch {
        let (sent, total) = (
            words::number(batch.ended_count()),
            words::number(batch.total()),
        );
        let mut line = Line::of(Role::Accent, format!("↻ {sent} of {total}"));
        if let troubles @ 1.. = batch.troubles() {
            line = line.with(Role::Failed, format!(" · {} ✗", words::number(troubles)));
        }
        parts.push(line);
    }
    if let Some(taken) = header.imported {
        parts.push(Line::of(
            Role::Accent,
            format!("⇣ {} imported", words::number(taken)),
        ));
    }
    if status.backlog > 0 {
        let backlog = format!("{} on the relay", words::number(status.backlog));
        parts.push(Line::of(Role::Waiting, backlog));
    }
    if status.pending > 0 {
        let pending = format!("{} waiting", words::number(status.pending));
        parts.push(Line::of(Role::Waiting, pending));
    }
    let per_minute = rate.per_minute();
    let mut line = Line::of(Role::Quiet, format!("{}/min", words::number(per_minute)));
    if per_minute > 0 {
        line = line
            .space(1)
            .with(Role::Accent, rate.sparkline().trim_start());
    }
    parts.push(line);
    if let Some(slow) = rate.slow() {
        parts.push(Line::of(
            Role::Quiet,
            format!("p95 {}", words::duration(slow)),
        ));
    }
    let mut line = Line::new();
    for part in parts {
        let gap = if line.width() == 0 { 0 } else { GAP };
        if line.width() + gap + part.width() <= room {
            line = line.space(gap).join(part);
        }
    }
    line
}
