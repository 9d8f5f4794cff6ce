//! Formats one entry as a line.

use jiff::Timestamp;
use podtap_agent::figures::{TimelineEntry, TimelineEvent};

use super::columns::{GUTTER, MARK, OUTCOME, REVISION, TimelineColumns};
use super::mark::ChangeMark;
use crate::env::Env;
use crate::line::Line;
use crate::names::EventSummary;
use crate::theme::Role;
use crate::words;

/// Returns the line of an entry. `before` is when the entry before it arrived.
pub(super) fn row(
    entry: &TimelineEntry,
    before: Option<Timestamp>,
    is_selected: bool,
    columns: TimelineColumns,
    env: Env<'_>,
) -> Line {
    let sign = if is_selected { "▶" } else { " " };
    let line = Line::new().column(Role::Accent, sign, GUTTER);
    match entry {
        TimelineEntry::Event(event) => of_event(line, event, before, columns, env),
        TimelineEntry::Missing { from, to } => {
            let (role, cell) = ChangeMark::Missing.cell();
            let which = if from == to {
                format!("r{from}")
            } else {
                format!("r{from}–r{to}")
            };
            line.space(columns.time + 1 + columns.after)
                .column(Role::Quiet, which, REVISION)
                .column(role, cell, MARK)
                .with(Role::Quiet, "never arrived: lost, or made with hook=false")
        }
    }
}

fn of_event(
    line: Line,
    event: &TimelineEvent,
    before: Option<Timestamp>,
    columns: TimelineColumns,
    env: Env<'_>,
) -> Line {
    let row = &event.row;
    let at = words::moment(row.received_at, env.now, env.zone);
    let after = before.map(|before| format!("+{}", words::since(before, row.received_at)));
    let after = after.filter(|after| after != "+now").unwrap_or_default();
    let (role, cell) = ChangeMark::of(&TimelineEntry::Event(Box::new(event.clone()))).cell();
    let (outcome_role, outcome) = words::outcome(row);
    let mut line = line
        .column(Role::Quiet, at, columns.time + 1)
        .column(Role::Quiet, after, columns.after)
        .column(Role::Plain, revision(event), REVISION)
        .column(role, cell, MARK)
        .column(who_role(event), author(event), columns.who - 1)
        .space(1);
    if columns.kind > 0 {
        let kind = row.event_type.as_deref().unwrap_or_default();
        line = line.column(Role::Quiet, kind, columns.kind);
    }
    line = line.column(outcome_role, outcome, OUTCOME);
    if columns.changed > 0 {
        let changes = EventSummary::of_changes(&event.changes);
        line = line.join(changes.changes(columns.changed));
    }
    line
}

/// Returns the revision; the type of the event if it has none.
fn revision(event: &TimelineEvent) -> String {
    let kind = event.row.event_type.as_deref().unwrap_or_default();
    match (event.row.revision, kind.split_once('.')) {
        (Some(revision), Some((_, "create"))) => format!("r{revision} new"),
        (Some(revision), _) => format!("r{revision}"),
        (None, Some(("item", what) | (what, _))) => what.to_owned(),
        (None, None) => kind.to_owned(),
    }
}

fn who_role(event: &TimelineEvent) -> Role {
    match event.author {
        Some(_) => Role::Plain,
        None => Role::Quiet,
    }
}

/// Returns the author of the change, and the API client.
fn author(event: &TimelineEvent) -> String {
    let Some(author) = &event.author else {
        return "not asked yet".to_owned();
    };
    match (&author.who, &author.via) {
        (Some(who), Some(via)) if who != via => format!("{who} · {via}"),
        (Some(one), _) | (None, Some(one)) => one.clone(),
        (None, None) => "not told".to_owned(),
    }
}
