//! Shows how many of the calls that Podio allows per hour are left.

use podtap_podio::client::CallBudget;

use super::LABEL;
use crate::chart;
use crate::env::Env;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Cells of the gauge.
const GAUGE: usize = 12;

pub(crate) fn budget(budget: Option<&CallBudget>, env: Env<'_>) -> Vec<Line> {
    let line = Line::new().column(Role::Quiet, "Podio's calls", LABEL);
    let Some(budget) = budget else {
        return vec![line.with(Role::Quiet, "Podio has not reported yet how many are left")];
    };
    let used = budget.limit.saturating_sub(budget.remaining);
    let left = format!(
        "  {} of {} left this hour",
        words::number(budget.remaining),
        words::number(budget.limit)
    );
    let line = line
        .join(chart::gauge(used, budget.limit, GAUGE))
        .with(Role::Plain, left);
    let at = |at| words::moment(at, env.now, env.zone);
    let next = Line::new().space(LABEL);
    let mut lines = vec![
        line,
        next.clone().with(
            Role::Quiet,
            format!("all again by {}", at(budget.resets_by)),
        ),
    ];
    if let Some(until) = budget.closed_until.filter(|until| *until > env.now) {
        let text = format!("✗ Podio accepts no call until {}", at(until));
        lines.push(next.with(Role::Failed, text));
    }
    lines
}
