//! Lists every attempt to deliver an event, replays included, newest first, with its duration.

use jiff::tz::TimeZone;
use podtap_agent::compare::AnswerChange;
use podtap_agent::history::{Attempt, Outcome};

use crate::line::Line;
use crate::theme::Role;
use crate::words;

/// Maximum length of a bar, in cells.
const BAR: u128 = 16;

/// Returns the lines of the tab Attempts.
pub(super) fn sheet(attempts: &[Attempt], zone: &TimeZone) -> Vec<Line> {
    if attempts.is_empty() {
        return vec![Line::of(Role::Quiet, "No attempt has ended yet.")];
    }
    let longest = attempts
        .iter()
        .map(|attempt| attempt.duration)
        .max()
        .unwrap_or_default();
    let longest = longest.as_micros().max(1);
    let mut lines = Vec::new();
    for attempt in attempts.iter().rev() {
        let (role, outcome) = match &attempt.outcome {
            Outcome::Answered { status, .. } => words::status_outcome(*status),
            Outcome::Failed { error } => (Role::Failed, format!("✗ {error}")),
        };
        let bar = (attempt.duration.as_micros() * BAR)
            .div_ceil(longest)
            .min(BAR);
        let bar = "━".repeat(usize::try_from(bar).unwrap_or(0));
        lines.push(
            Line::of(Role::Strong, format!("{:<3}", attempt.number))
                .with(role, outcome)
                .with(
                    Role::Quiet,
                    format!("  {}  ", words::duration(attempt.duration)),
                )
                .with(role, bar),
        );
        let sign = match (attempt.replay, &attempt.edited) {
            (true, Some(_)) => "↻ edited and replayed  ",
            (true, None) => "↻ replayed  ",
            (false, _) => "",
        };
        let started = words::full_time(attempt.started_at, zone);
        lines.push(
            Line::new()
                .space(3)
                .with(Role::Accent, sign)
                .with(Role::Quiet, started),
        );
        lines.push(
            Line::new()
                .space(3)
                .with(Role::Quiet, "to ")
                .with(Role::Plain, &attempt.url),
        );
        if let Some(change) = AnswerChange::of(attempt, attempts) {
            let role = if change.is_none() {
                Role::Quiet
            } else {
                Role::Accent
            };
            lines.push(Line::new().space(3).with(role, change.words()));
        }
        lines.push(Line::new());
    }
    lines
}
