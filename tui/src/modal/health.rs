//! How the agent is: link, relay, lanes, local service.

use podtap_agent::{LinkState, ServiceState, Status};

use crate::env::Env;
use crate::health::Health;
use crate::line::Line;
use crate::rate::Rate;
use crate::theme::Role;
use crate::widget::lines::Lines;
use crate::words;

/// Cells of a label.
const LABEL: usize = 16;

/// What the window tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling<'a> {
    /// The agent's status.
    pub(crate) status: &'a Status,
    /// What the tunnel is called.
    pub(crate) tunnel: &'a str,
    /// What listened for the tunnel when this UI began beside it, in words.
    pub(crate) beside: Option<&'a str>,
    /// How much arrives.
    pub(crate) rate: &'a Rate,
    /// What is remembered.
    pub(crate) health: &'a Health,
}

/// The window as things are now, from its line `top` on.
pub(crate) fn health(telling: Telling<'_>, env: Env<'_>, top: usize) -> Lines {
    let (status, now) = (telling.status, env.now);
    let link = match &status.link {
        LinkState::Off => beside(telling.beside),
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
    let few = |number: usize| many(u64::try_from(number).unwrap_or(u64::MAX));
    let lines = [
        ("Tunnel", text(Some(telling.tunnel.to_owned()))),
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
        ("Objects queued", few(status.lanes)),
        ("Under way", few(status.in_flight)),
        ("Tried again", many(status.retries)),
        ("", Line::new()),
        ("History", history(telling.health)),
        ("Last minute", many(telling.rate.per_minute())),
    ];
    let row =
        |(label, value): (&str, Line)| Line::new().column(Role::Quiet, label, LABEL).join(value);
    let failed = status.failed_hooks.iter();
    let failed = failed.map(|hook| ("Hooks", Line::of(Role::Failed, format!("✗ {hook}"))));
    let lines = lines
        .into_iter()
        .chain(failed)
        .chain(link_was(telling.health, env));
    let lines = lines.map(row).collect();
    Lines::new("Health", env.keymap.closes(), lines).from(top)
}

/// What a UI without a link of its own is.
fn beside(beside: Option<&str>) -> Line {
    match beside {
        Some(beside) => Line::of(Role::Ok, format!("● {beside} listened when this began")),
        None => Line::of(
            Role::Quiet,
            "○ this only browses; `podtap listen` takes events",
        ),
    }
}

/// How many events the history holds, and what they take.
fn history(health: &Health) -> Line {
    let events = health.events();
    let events = events.map(|total| words::count(total, "event"));
    let bytes = health.bytes().map(words::size);
    let parts: Vec<String> = events.into_iter().chain(bytes).collect();
    Line::of(Role::Plain, parts.join(" · "))
}

/// What the link was, the latest first.
fn link_was(health: &Health, env: Env<'_>) -> impl Iterator<Item = (&'static str, Line)> {
    let heading = std::iter::once(("", Line::new()));
    let states = health
        .link()
        .enumerate()
        .map(move |(index, (at, role, state))| {
            let label = if index == 0 { "The link was" } else { "" };
            let at = words::moment(*at, env.now, env.zone);
            let line = Line::of(Role::Quiet, at).space(2).put(*role, state);
            (label, line)
        });
    heading.chain(states)
}

fn up(since: &str) -> Line {
    let line = Line::of(Role::Ok, "● up");
    if since == "now" {
        line
    } else {
        line.put(Role::Quiet, format!(" for {since}"))
    }
}
