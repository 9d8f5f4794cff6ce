//! Formats one row of the list. If the width shrinks, columns are left out in this order:
//! path, duration, the last digits of the object's id. Time, type and outcome always stay.
//! If events have names, the name replaces the path, and also the object's id if there is
//! not enough room for both. A gap uses the columns of an event for how many events are
//! missing, what happened to them, and why.

use jiff::Timestamp;
use podtap_agent::history::{EventRow, HistoryGap, HistoryRow};

use super::List;
use crate::env::Env;
use crate::line::Line;
use crate::names::{EventSummary, Names};
use crate::theme::Role;
use crate::words;

const GUTTER: usize = 4;
pub(super) const TIME: usize = 8;
/// Cells of a time with the date before it.
pub(super) const DAY_AND_TIME: usize = 12;
const KIND: usize = 14;
const OBJECT: usize = 18;
/// Minimum width of the object. A narrower column is left out.
const ABOUT: usize = 11;
const OUTCOME: usize = 11;
const DURATION: usize = 7;
/// Minimum width of the path. A narrower column is left out.
const PATH: usize = 10;
/// Minimum width of the name beside the object's id,
const NAME: usize = 28;
/// and in place of the id, beside the duration.
const SHORT_NAME: usize = 26;

/// The room of a row, and what it must contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowRoom {
    pub(super) width: usize,
    /// Cells of the time.
    pub(super) time: usize,
    /// Whether events have names.
    pub(super) names: bool,
}

/// Returns when the event was accepted, or when the gap was found.
pub(super) fn time(row: &HistoryRow) -> Timestamp {
    match row {
        HistoryRow::Event(row) => row.received_at,
        HistoryRow::Gap(gap) => gap.found_at,
    }
}

/// Returns a row as a line.
pub(super) fn line(
    row: &HistoryRow,
    list: &List,
    is_selected: bool,
    names: &Names,
    room: RowRoom,
    env: Env<'_>,
) -> Line {
    match row {
        HistoryRow::Event(row) => {
            columns(row, signs(list, row, is_selected), names.of(row), room, env)
        }
        HistoryRow::Gap(gap) => of_gap(gap, is_selected, room, env),
    }
}

/// Returns a line with the sign and, if there is room, the time, and the width that is
/// left for the columns after them.
fn beginning(
    sign: impl Into<String>,
    at: Timestamp,
    RowRoom { width, time, .. }: RowRoom,
    env: Env<'_>,
) -> (Line, usize) {
    let mut line = Line::new().column(Role::Accent, sign.into(), GUTTER);
    let mut fixed = GUTTER + KIND + 1 + 1 + OUTCOME;
    // The object is more important than the time.
    if width >= fixed + time + 1 + ABOUT {
        let at = words::moment(at, env.now, env.zone);
        line = line.column(Role::Quiet, at, time + 1);
        fixed += time + 1;
    }
    (line, width.saturating_sub(fixed))
}

/// Formats a gap, with the number of events in the column of the object, and the
/// reason in the column of the path.
fn of_gap(gap: &HistoryGap, is_selected: bool, room: RowRoom, env: Env<'_>) -> Line {
    let sign = if is_selected { "▶" } else { " " };
    let (line, rest) = beginning(sign, gap.found_at, room, env);
    let object = rest.min(OBJECT);
    let many = gap.count().map(|many| words::count(many, "webhook"));
    let many = many.unwrap_or_else(|| "how many unknown".to_owned());
    let line = line
        .column(Role::Warning, "gap", KIND)
        .space(1)
        .column(Role::Plain, many, object)
        .space(1)
        .column(Role::Warning, format!("⚠ {}", gap.word()), OUTCOME);
    match (rest - object).checked_sub(2) {
        Some(room) if room >= PATH => line.space(2).column(Role::Quiet, gap.reason(), room),
        _ => line,
    }
}

fn columns(
    row: &EventRow,
    sign: String,
    known: Option<&EventSummary>,
    room: RowRoom,
    env: Env<'_>,
) -> Line {
    let (role, outcome) = match &row.burst {
        Some(burst) => words::burst_outcome(burst),
        None => words::outcome(row),
    };
    let (mut line, rest) = beginning(sign, row.received_at, room, env);
    let is_broad = rest >= OBJECT + DURATION + 2 + NAME;
    let object = match rest.checked_sub(DURATION) {
        _ if !room.names || is_broad => rest.min(OBJECT),
        Some(room) if room >= SHORT_NAME => room,
        _ => rest,
    };
    let rest = rest - object;
    line = match &row.event_type {
        Some(kind) => {
            let line = line.column(Role::Plain, kind, KIND).space(1);
            match known.filter(|known| !is_broad && known.has_title()) {
                Some(known) => line.join(known.line(row.revision, object)),
                None => line.column(Role::Plain, about(row, object), object),
            }
        }
        None => line.column(
            Role::Plain,
            format!("{} {}", row.method, row.path),
            KIND + 1 + object,
        ),
    };
    line = line.space(1).column(role, outcome, OUTCOME);
    let Some(rest) = rest.checked_sub(DURATION) else {
        return line;
    };
    let duration = match &row.burst {
        Some(burst) => burst.slowest,
        None => row.outcome().map(|last| last.duration),
    };
    let duration = duration.map(words::duration).unwrap_or_default();
    line = line.column_right(Role::Quiet, duration, DURATION);
    match (rest.checked_sub(2), known) {
        (Some(room), Some(known)) if is_broad => line.space(2).join(known.line(None, room)),
        (Some(room), _) if room >= PATH => line.space(2).column(Role::Quiet, &row.path, room),
        _ => line,
    }
}

/// Returns the sign for a selected row or a burst, followed by the sign of the
/// row's most important other property.
fn signs(list: &List, row: &EventRow, selected: bool) -> String {
    let first = match (selected, &row.burst) {
        (true, _) => "▶",
        (false, Some(_)) => "▸",
        (false, None) => " ",
    };
    let second = if list.is_marked(row.position) {
        "●"
    } else {
        " "
    };
    let third = if list.is_stray(row.position) {
        "∅"
    } else if row.note.is_some() {
        "✎"
    } else if row.last.as_ref().is_some_and(|last| last.replay) {
        "↻"
    } else if row.burst.is_none() && list.is_opened(row.position) {
        "┊"
    } else {
        " "
    };
    format!("{first}{second}{third}")
}

/// Returns what the event is about, in `room` cells: object and revision, otherwise the hook; for a
/// burst, its number of events. If there is not enough room, the type of the object is left out
/// first, because the event type mostly includes it.
fn about(row: &EventRow, room: usize) -> String {
    if let Some(burst) = &row.burst {
        let (many, rate) = (
            words::number(burst.events),
            words::number(burst.per_second()),
        );
        let (many, rate) = (format!("{many} events"), format!(" · {rate}/s"));
        let fits = many.chars().count() + rate.chars().count() <= room;
        return if fits { many + &rate } else { many };
    }
    let about = words::about(row);
    match about.split_once(' ') {
        Some((_, short)) if about.chars().count() > room => short.to_owned(),
        _ => about,
    }
}

#[cfg(test)]
mod tests {
    use podtap_podio::{ObjectKind, ObjectRef};

    use super::*;
    use crate::testing::row;

    #[test]
    fn an_id_of_ten_digits_keeps_its_revision_where_there_is_little_room() {
        let object = Some(ObjectRef {
            kind: ObjectKind::Item,
            id: 3_276_908_609,
        });
        let row = EventRow {
            object,
            revision: Some(4),
            ..row(1)
        };
        assert_eq!(about(&row, 18), "item 3276908609 r4");
        assert_eq!(about(&row, 16), "3276908609 r4");
    }
}
