//! Shows how close the selected hook is to each of Podio's limits.

use podtap_agent::figures::{HookLimits, HookTraffic};

use super::row::{limits, name, standing};
use crate::chart;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Number of lines.
pub(super) const LINES: usize = 5;

/// Cells of a label.
const LABEL: usize = 17;

/// Returns the lines, `width` cells wide.
pub(super) fn about(hook: &HookTraffic, width: usize) -> [Line; LINES] {
    let cells = (width / 4).clamp(8, 30);
    let [answer, soon, week] = limits(&hook.distance);
    let row = |label: &str, (used, limit): (u64, u64), text: String| {
        Line::new()
            .column(Role::Quiet, label, LABEL)
            .join(chart::gauge(used, limit, cells))
            .space(2)
            .with(Role::Plain, text)
    };
    let slowest = hook.distance.slowest.map(words::duration);
    let slowest = slowest.unwrap_or_else(|| "–".to_owned());
    let podio = HookLimits::PODIO;
    let (minutes, days) = (
        podio.suspend.within.as_secs() / 60,
        podio.disable.within.as_secs() / 86_400,
    );
    let failures = |(used, limit): (u64, u64), then: &str| {
        let text = format!("{} of {limit} failures", words::number(used));
        let whole = format!("{text} {then}");
        if LABEL + cells + 2 + whole.len() <= width {
            whole
        } else {
            text
        }
    };
    let (role, concluded) = standing(&hook.distance);
    let missed = hook.distance.standing.as_ref().map_or(0, |it| it.missed);
    let mut says = Line::new()
        .column(Role::Quiet, "Podio would say", LABEL)
        .with(role, concluded);
    if missed > 0 {
        let missed = words::number(missed);
        says = says.with(Role::Warning, format!(", {missed} missed"));
    }
    let title = match hook.hook_id {
        Some(hook_id) if hook.place.is_some() => format!("{} · hook {hook_id}", name(hook)),
        Some(hook_id) => format!("hook {hook_id}"),
        None => name(hook),
    };
    [
        Line::of(Role::Strong, title),
        row(
            "slowest answer",
            answer,
            format!("{slowest} of {} s", podio.answer.as_secs()),
        ),
        row(
            &format!("in {minutes} min"),
            soon,
            failures(soon, "suspend"),
        ),
        row(&format!("in {days} days"), week, failures(week, "disable")),
        says,
    ]
}
