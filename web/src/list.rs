//! A window of the list: rows around a place, in the filter language of `podtap events`.

use http::StatusCode;
use jiff::Timestamp;
use podtap_agent::history::{Anchor, EventRow, Filter, PageQuery, Position, Saved};
use podtap_agent::{AgentHandle, Remembered};
use serde::Serialize;

use crate::answer::{PageAnswer, error, json, json_as};

/// Rows of a window, at most.
const MAX_ROWS: usize = 200;

/// Characters of a filter, at most.
const MAX_FILTER: usize = 1_000;

/// Names of changed fields that a row shows.
const MAX_FIELDS: usize = 3;

/// What was asked for.
#[derive(Debug, PartialEq)]
struct Wanted {
    filter: String,
    anchor: Anchor,
    limit: usize,
}

impl Wanted {
    fn parse(query: &str) -> Result<Self, String> {
        let mut wanted = Self {
            filter: String::new(),
            anchor: Anchor::Newest,
            limit: MAX_ROWS / 2,
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = || value.parse().map(Position);
            let parsed = match &*name {
                "filter" if value.chars().count() > MAX_FILTER => {
                    return Err(format!("the filter has more than {MAX_FILTER} characters"));
                }
                "filter" => {
                    wanted.filter = value.into_owned();
                    continue;
                }
                "before" => place().map(|place| wanted.anchor = Anchor::Before(place)),
                "after" => place().map(|place| wanted.anchor = Anchor::After(place)),
                "around" => place().map(|place| wanted.anchor = Anchor::Around(place)),
                "limit" => value.parse::<usize>().map(|limit| wanted.limit = limit),
                _ => return Err(format!("unknown parameter {name}")),
            };
            parsed.map_err(|_| format!("{name} is not a number: {value}"))?;
        }
        wanted.limit = wanted.limit.clamp(1, MAX_ROWS);
        Ok(wanted)
    }
}

/// Rows, newest first, and how far was looked for them.
#[derive(Debug, Serialize)]
struct Window<'a> {
    rows: Vec<Row<'a>>,
    /// Where looking for older rows stopped before there were enough: there may be more.
    older: Option<i64>,
    newer: Option<i64>,
    newest: i64,
    /// What a person may have meant by the filter.
    hint: Option<String>,
}

/// One event in the list.
#[derive(Debug, Serialize)]
struct Row<'a> {
    position: i64,
    id: String,
    received_at: String,
    /// Podio's type, or method and path.
    what: String,
    object: Option<String>,
    hook_id: Option<String>,
    bytes: u64,
    state: &'static str,
    status: Option<u16>,
    error: Option<&'a str>,
    duration_ms: Option<f64>,
    attempts: u32,
    marks: Vec<String>,
    note: Option<&'a str>,
    title: Option<&'a str>,
    changed: Vec<&'a str>,
}

/// A window of the list.
pub(crate) async fn page(handle: &AgentHandle, saved: &Saved, query: &str) -> PageAnswer {
    let wanted = match Wanted::parse(query) {
        Ok(wanted) => wanted,
        Err(wrong) => return error(StatusCode::BAD_REQUEST, &wrong),
    };
    let filter = match Filter::parse(&wanted.filter, Timestamp::now(), saved) {
        Ok(filter) => filter,
        Err(wrong) => {
            let said = serde_json::json!({ "error": wrong.message, "column": wrong.column });
            return json_as(StatusCode::BAD_REQUEST, &said);
        }
    };
    let nearly = filter.nearly_fields();
    let hint = nearly
        .first()
        .map(|(name, field)| format!("`{name}` is taken as a parameter; did you mean `{field}:`?"));
    let query = PageQuery {
        filter,
        anchor: wanted.anchor,
        limit: wanted.limit,
    };
    let read = async {
        let page = handle.history().partial_page(query).await?;
        let known = handle.recall_rows(&page.rows).await?;
        Ok::<_, podtap_agent::history::HistoryError>((page, known))
    };
    match read.await {
        Ok((page, known)) => json(&Window {
            rows: page
                .rows
                .iter()
                .map(|row| Row::new(row, known.get(&row.id)))
                .collect(),
            older: page.older.map(|place| place.0),
            newer: page.newer.map(|place| place.0),
            newest: page.newest.0,
            hint,
        }),
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
}

impl<'a> Row<'a> {
    fn new(row: &'a EventRow, known: Option<&'a Remembered>) -> Self {
        let last = row.last.as_ref();
        let outcome = last.map(|last| last.outcome.as_ref());
        let what = match &row.event_type {
            Some(event_type) => event_type.clone(),
            None => format!("{} {}", row.method, row.path),
        };
        let changes = known.map(|known| known.changes.as_slice());
        let fields = changes.unwrap_or_default().iter();
        Self {
            position: row.position.0,
            id: row.id.to_string(),
            received_at: row.received_at.to_string(),
            what,
            object: row.object.map(|object| object.to_string()),
            hook_id: row.hook_id.map(|id| id.to_string()),
            bytes: row.body_bytes,
            state: row.state.word(row.insight.hold),
            status: outcome.and_then(Result::ok).copied(),
            error: outcome.and_then(Result::err).map(String::as_str),
            duration_ms: last.map(|last| last.duration.as_secs_f64() * 1e3),
            attempts: row.attempts,
            marks: marks(row),
            note: row.note.as_deref(),
            title: known.and_then(|known| known.title.as_deref()),
            changed: fields
                .take(MAX_FIELDS)
                .map(|change| change.field.as_str())
                .collect(),
        }
    }
}

/// What was found out about an event, a word each.
fn marks(row: &EventRow) -> Vec<String> {
    let insight = &row.insight;
    let verified = insight.verification.as_ref();
    let marks = [
        insight.duplicate.map(|_| "duplicate".to_owned()),
        (insight.missing > 0).then(|| format!("{} missing before", insight.missing)),
        insight.late.map(|_| "late".to_owned()),
        verified.map(|verified| {
            let word = if verified.is_ok() {
                "verified"
            } else {
                "not verified"
            };
            word.to_owned()
        }),
        row.last
            .as_ref()
            .filter(|last| last.replay)
            .map(|_| "replayed".to_owned()),
    ];
    marks.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_asked_for_by_place_and_never_too_large() {
        let wanted = Wanted::parse("filter=type%3Aitem.*&before=12&limit=100000").unwrap();
        let expected = Wanted {
            filter: "type:item.*".to_owned(),
            anchor: Anchor::Before(Position(12)),
            limit: MAX_ROWS,
        };
        assert_eq!(wanted, expected);
        assert_eq!(Wanted::parse("limit=0").unwrap().limit, 1);
        for (query, words) in [
            ("before=x", "before is not a number: x"),
            ("limit=-1", "limit is not a number: -1"),
            ("offset=3", "unknown parameter offset"),
        ] {
            assert_eq!(Wanted::parse(query).unwrap_err(), words);
        }
        let long = format!("filter={}", "x".repeat(MAX_FILTER + 1));
        assert!(Wanted::parse(&long).is_err());
    }
}
