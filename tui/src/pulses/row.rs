//! Formats one row of the table as a line.

use std::time::Duration;

use podtap_agent::figures::{Distance, HookLimits, HookTraffic};

use super::columns::{CALLS, FAILED, GUTTER, KIND, PulseColumns, TIME};
use crate::chart;
use crate::env::Env;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

pub(super) fn heading(columns: PulseColumns) -> Line {
    let left = |line: Line, text: &str, cells: usize| line.column(Role::Quiet, text, cells);
    let right = |line: Line, text: &str, cells: usize| line.column_right(Role::Quiet, text, cells);
    let line = Line::new().space(GUTTER);
    let line = left(line, "hook", columns.name);
    let line = left(line, "event", KIND);
    let line = right(line, "calls", CALLS);
    let line = right(line, "✗", FAILED);
    let line = right(line, "p50", columns.p50);
    let line = right(line, "p95", TIME);
    let line = right(line, "max", columns.max);
    let line = right(line, "last", columns.last);
    let line = left(line, " limit", columns.gauge);
    let line = left(line, " last hour", columns.spark);
    left(line, " Podio would say", columns.standing)
}

/// Returns the row of one hook and event type.
pub(super) fn row(
    hook: &HookTraffic,
    is_selected: bool,
    columns: PulseColumns,
    env: Env<'_>,
) -> Line {
    let sign = if is_selected { "▶" } else { " " };
    let failed_role = if hook.failed > 0 {
        Role::Failed
    } else {
        Role::Quiet
    };
    let time = |time: Option<Duration>| time.map_or_else(|| "–".to_owned(), words::duration);
    let kind = hook.event_type.as_deref().unwrap_or("no Podio event");
    let line = Line::new()
        .column(Role::Accent, sign, GUTTER)
        .column(Role::Plain, name(hook), columns.name - 1)
        .space(1)
        .column(Role::Plain, kind, KIND)
        .column_right(Role::Plain, words::number(hook.calls), CALLS)
        .column_right(failed_role, words::number(hook.failed), FAILED)
        .column_right(Role::Quiet, time(hook.p50), columns.p50)
        .column_right(slow_role(hook.p95), time(hook.p95), TIME)
        .column_right(slow_role(hook.max), time(hook.max), columns.max)
        .column_right(
            Role::Quiet,
            words::since(hook.last_at, env.now),
            columns.last,
        );
    let line = match columns.gauge.checked_sub(1) {
        Some(cells) => line.space(1).join(nearest(&hook.distance, cells)),
        None => line,
    };
    let line = match columns.spark.checked_sub(2) {
        Some(cells) => {
            let bars = chart::merge_to_width(&hook.per_minute, cells);
            let line = line.space(1);
            line.column(Role::Accent, chart::sparkline(&bars), cells)
                .space(1)
        }
        None => line,
    };
    match columns.standing.checked_sub(1) {
        Some(cells) => {
            let (role, text) = standing(&hook.distance);
            line.space(1).column(role, text, cells)
        }
        None => line,
    }
}

/// Returns the place of the hook; its id if the place is not known.
pub(super) fn name(hook: &HookTraffic) -> String {
    match (&hook.place, hook.hook_id) {
        (Some(place), _) => place.to_string(),
        (None, Some(hook_id)) => hook_id.to_string(),
        (None, None) => "no hook".to_owned(),
    }
}

/// Returns what Podio would conclude about the hook.
pub(super) fn standing(distance: &Distance) -> (Role, String) {
    match &distance.standing {
        None => (Role::Quiet, "– not called".to_owned()),
        Some(standing) if standing.conclusion() == "active" => (Role::Ok, "✓ active".to_owned()),
        Some(standing) => (Role::Warning, format!("! {}", standing.conclusion())),
    }
}

fn slow_role(time: Option<Duration>) -> Role {
    match time {
        Some(time) if time > HookLimits::PODIO.answer => Role::Failed,
        Some(time) if time * 2 > HookLimits::PODIO.answer => Role::Warning,
        _ => Role::Quiet,
    }
}

/// Returns the gauge of the limit that is closest.
fn nearest(distance: &Distance, cells: usize) -> Line {
    let limits = limits(distance);
    let share =
        |(used, limit): &(u64, u64)| u128::from(*used) * 1_000 / u128::from((*limit).max(1));
    let (used, limit) = limits.into_iter().max_by_key(share).unwrap_or_default();
    chart::gauge(used, limit, cells)
}

/// Returns how much of each limit is used: milliseconds of an answer, failures within 15
/// minutes, failures within a week.
pub(super) fn limits(distance: &Distance) -> [(u64, u64); 3] {
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let many = |many: usize| u64::try_from(many).unwrap_or(u64::MAX);
    let podio = HookLimits::PODIO;
    [
        (
            millis(distance.slowest.unwrap_or_default()),
            millis(podio.answer),
        ),
        (many(distance.failed_soon), many(podio.suspend.failures)),
        (many(distance.failed_week), many(podio.disable.failures)),
    ]
}
