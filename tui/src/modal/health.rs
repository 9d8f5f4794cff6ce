//! How the agent is: link, relay, lanes, local service.

use podtap_agent::{LinkState, ServiceState};

use crate::app::App;
use crate::line::Line;
use crate::modal::lines::Lines;
use crate::theme::Role;
use crate::words;

/// Cells of a label.
const LABEL: usize = 16;

/// The window as things are now.
pub(crate) fn health(app: &App) -> Lines {
    let (status, now) = (app.status(), app.now());
    let link = match &status.link {
        LinkState::Off => Line::of(Role::Quiet, "○ no relay"),
        LinkState::Up { since } => up(&words::since(*since, now)),
        LinkState::Connecting {
            attempt, reason, ..
        } => {
            let reason = reason.as_deref().unwrap_or("connecting");
            Line::of(Role::Waiting, format!("◌ attempt {attempt}: {reason}"))
        }
        LinkState::Stopped { reason } => Line::of(Role::Failed, format!("✗ stopped: {reason}")),
    };
    let service = match &status.service {
        ServiceState::Unknown => Line::of(Role::Quiet, "○ nothing was sent yet"),
        ServiceState::Up { since } => up(&words::since(*since, now)),
        ServiceState::Down { since, reason } => {
            let down = format!("✗ {reason}, for {}", words::since(*since, now));
            Line::of(Role::Failed, down)
        }
    };
    let none = || "none".to_owned();
    let text = |text: Option<String>| Line::of(Role::Plain, text.unwrap_or_else(none));
    let many = |many: u64| Line::of(Role::Plain, words::number(many));
    let lines = [
        ("Tunnel", text(status.tunnel.clone())),
        ("Public URL", text(status.public_url.clone())),
        ("Link", link),
        ("Reconnects", many(status.reconnects)),
        ("On the relay", many(status.backlog)),
        ("", Line::new()),
        (
            "Local service",
            text(status.target.as_ref().map(ToString::to_string)),
        ),
        ("", service),
        ("Waiting", many(status.pending)),
        (
            "Under way",
            many(u64::try_from(status.in_flight).unwrap_or(u64::MAX)),
        ),
        ("Last minute", many(app.rate.per_minute())),
    ];
    let row =
        |(label, value): (&str, Line)| Line::new().column(Role::Quiet, label, LABEL).join(value);
    Lines::new(
        "Health",
        app.keymap().closes(),
        lines.into_iter().map(row).collect(),
    )
}

fn up(since: &str) -> Line {
    let line = Line::of(Role::Ok, "● up");
    if since == "now" {
        line
    } else {
        line.put(Role::Quiet, format!(" for {since}"))
    }
}
