//! Draws the health window: link, relay, lanes, local service.

use podtap_agent::{ServiceState, Status};
use ratatui::layout::Rect;

use super::HealthPane;
use crate::env::Env;
use crate::figures::{self, LABEL, ShownFigures};
use crate::keymap::Action;
use crate::line::Line;
use crate::rate::ArrivalRate;
use crate::theme::Role;
use crate::widget::lines::{self, Lines};
use crate::{words, wrap};

/// The content of the health window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HealthProps<'a> {
    /// The agent's status.
    pub(crate) status: &'a Status,
    /// The name of the tunnel.
    pub(crate) tunnel: &'a str,
    /// The URL of the web page.
    pub(crate) web: Option<&'a str>,
    /// The agent's figures that are not in its status.
    pub(crate) figures: &'a ShownFigures,
    /// The rate at which events arrive.
    pub(crate) rate: &'a ArrivalRate,
    /// The states of the link, and the size of the history.
    pub(crate) health: &'a HealthPane,
}

/// Returns the window, scrolled to the line `top`.
pub(crate) fn window(props: HealthProps<'_>, env: Env<'_>, screen: Rect, top: usize) -> Lines {
    let room = lines::room(screen);
    let status = props.status;
    let many = |many: u64| Line::of(Role::Plain, words::number(many));
    let few = |number: usize| many(u64::try_from(number).unwrap_or(u64::MAX));
    let figures = props.figures;
    let chain = figures.chain.iter();
    let chain = chain.flat_map(figures::chain);
    let chain = chain.flat_map(|line| wrap::rows(line, room));
    let chain = chain.map(|(indent, line)| Line::new().space(indent).join(line));
    let times = figures.times.iter();
    let pictures = [Line::new()].into_iter();
    let pictures = pictures
        .chain(figures::hour(&figures.hour, room))
        .chain([Line::new()])
        .chain(times.flat_map(|times| figures::answers(times, room)));
    let numbers = [
        ("", Line::new()),
        ("Tunnel", Line::of(Role::Plain, props.tunnel)),
        ("Reconnects", many(status.reconnects)),
        ("On the relay", many(status.backlog)),
        ("Waiting", many(status.pending)),
        ("Objects queued", few(status.lanes)),
        ("Under way", few(status.in_flight)),
        ("Tried again", many(status.retries)),
        ("", Line::new()),
        ("History", history(props.health)),
        ("Last minute", many(props.rate.per_minute())),
    ];
    let row =
        |(label, value): (&str, Line)| Line::new().column(Role::Quiet, label, LABEL).join(value);
    let web = props
        .web
        .map(|url| row(("Web page", Line::of(Role::Accent, url))));
    let numbers = numbers.into_iter().chain(targets(status)).map(row);
    let numbers = numbers.chain(web);
    let budget = figures::budget(figures.budget.as_ref(), env);
    let link_was = link_was(props.health, env).map(row);
    let lines = chain.chain(pictures).chain(numbers).chain(budget);
    let lines = lines.chain(link_was).collect();
    Lines::new("Health", env.keymap.closes(), lines).from(top)
}

/// Returns the first line on the screen after an action, limited by the length of the content.
pub(crate) fn scroll(
    props: HealthProps<'_>,
    env: Env<'_>,
    screen: Rect,
    top: usize,
    action: Action,
) -> usize {
    let mut lines = window(props, env, screen, top);
    lines.act(action, screen);
    lines.top()
}

/// Returns a line for each of several targets, with its queued events.
fn targets(status: &Status) -> Vec<(&'static str, Line)> {
    if status.routes.list().is_empty() {
        return Vec::new();
    }
    let targets = status.targets.iter().enumerate().map(|(place, of)| {
        let label = if place == 0 { "Targets" } else { "" };
        let line = Line::of(Role::Plain, words::target(&of.target)).space(1);
        let line = match &of.service {
            ServiceState::Unknown => line.with(Role::Quiet, "○"),
            ServiceState::Up { .. } => line.with(Role::Ok, "● up"),
            ServiceState::Down { reason, .. } => line.with(Role::Failed, format!("✗ {reason}")),
        };
        let lanes = u64::try_from(of.lanes).unwrap_or(u64::MAX);
        let queued = format!("  {} queued", words::count(lanes, "object"));
        (label, line.with(Role::Quiet, queued))
    });
    let routes = status.routes.list().iter().enumerate();
    let routes = routes.map(|(place, route)| {
        let label = if place == 0 { "Routes" } else { "" };
        (label, Line::of(Role::Plain, route.to_string()))
    });
    targets.chain(routes).collect()
}

/// Returns the number of events in the history, and their size.
fn history(health: &HealthPane) -> Line {
    let events = health.events();
    let events = events.map(|total| words::count(total, "event"));
    let bytes = health.bytes().map(words::size);
    let parts: Vec<String> = events.into_iter().chain(bytes).collect();
    Line::of(Role::Plain, parts.join(" · "))
}

/// Returns the former states of the link, the latest first.
fn link_was(health: &HealthPane, env: Env<'_>) -> impl Iterator<Item = (&'static str, Line)> {
    let heading = std::iter::once(("", Line::new()));
    let states = health
        .link()
        .enumerate()
        .map(move |(index, (at, role, state))| {
            let label = if index == 0 { "The link was" } else { "" };
            let at = words::moment(*at, env.now, env.zone);
            let line = Line::of(Role::Quiet, at).space(2).with(*role, state);
            (label, line)
        });
    heading.chain(states)
}
