//! Returns a window of the list: the rows around a position, in the filter
//! language of `podtap events`.

use http::StatusCode;
use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_agent::export::shown::{ShownGap, ShownRow};
use podtap_agent::history::{Anchor, Filter, Page, PageQuery, Position, SavedFilters};
use serde::Serialize;

use crate::answer::{PageAnswer, error, json, json_as};

/// Maximum number of rows in a window.
const MAX_ROWS: usize = 200;

/// Maximum number of characters in a filter.
const MAX_FILTER: usize = 1_000;

/// The parsed query of a request.
#[derive(Debug, PartialEq)]
struct PageRequest {
    filter: String,
    anchor: Anchor,
    limit: usize,
}

impl PageRequest {
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

/// The rows, newest first, and how far the history was searched for them.
#[derive(Debug, Serialize)]
struct ListWindow<'a> {
    rows: Vec<ShownRow<'a>>,
    /// The gaps among the rows; empty if a filter is set.
    gaps: Vec<ShownGap>,
    /// The position at which the search for older rows stopped early, so that there may be more.
    older: Option<i64>,
    newer: Option<i64>,
    newest: i64,
    /// What a person may have meant by a word in the filter.
    hint: Option<String>,
}

/// Returns a window of the list.
pub(crate) async fn page(handle: &AgentHandle, saved: &SavedFilters, query: &str) -> PageAnswer {
    let wanted = match PageRequest::parse(query) {
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
    let hint = filter.nearly_fields().first().map(ToString::to_string);
    let unknown = filter.unknown_name().map(|name| name.to_string());
    let (anchor, limit, wants_all) = (wanted.anchor, wanted.limit, filter.is_empty());
    let query = PageQuery {
        filter,
        anchor,
        limit,
    };
    let read = async {
        let page = handle.history().partial_page(query).await?;
        let known = handle.recall_rows(&page.rows).await?;
        let gaps = if wants_all {
            let (after, before) = reach(&page, anchor, limit);
            handle.history().gaps(after, before).await?
        } else {
            Vec::new()
        };
        Ok::<_, podtap_agent::history::HistoryError>((page, known, gaps))
    };
    match read.await {
        Ok((page, known, gaps)) => json(&ListWindow {
            rows: page
                .rows
                .iter()
                .map(|row| ShownRow::new(row, known.get(&row.id)))
                .collect(),
            gaps: gaps.iter().map(ShownGap::from).collect(),
            older: page.older.map(|place| place.0),
            newer: page.newer.map(|place| place.0),
            newest: page.newest.0,
            hint: hint.or_else(|| unknown.filter(|_| page.rows.is_empty())),
        }),
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
}

/// Returns the range of positions, both ends excluded, that a page covers.
fn reach(page: &Page, anchor: Anchor, limit: usize) -> (Position, Position) {
    let is_whole = page.rows.len() < limit;
    let oldest = page.rows.last().map(|row| row.position);
    let newest = page.rows.first().map(|row| row.position);
    let (low, high) = (Position(i64::MIN), Position(i64::MAX));
    let below = if is_whole { None } else { oldest };
    match anchor {
        Anchor::Newest => (below.unwrap_or(low), high),
        Anchor::Before(before) => (below.unwrap_or(low), before),
        Anchor::After(after) if is_whole => (after, high),
        Anchor::After(after) => (after, newest.unwrap_or(high)),
        Anchor::Around(_) => (oldest.unwrap_or(low), newest.unwrap_or(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_asked_for_by_place_and_never_too_large() {
        let wanted = PageRequest::parse("filter=type%3Aitem.*&before=12&limit=100000").unwrap();
        let expected = PageRequest {
            filter: "type:item.*".to_owned(),
            anchor: Anchor::Before(Position(12)),
            limit: MAX_ROWS,
        };
        assert_eq!(wanted, expected);
        assert_eq!(PageRequest::parse("limit=0").unwrap().limit, 1);
        for (query, words) in [
            ("before=x", "before is not a number: x"),
            ("limit=-1", "limit is not a number: -1"),
            ("offset=3", "unknown parameter offset"),
        ] {
            assert_eq!(PageRequest::parse(query).unwrap_err(), words);
        }
        let long = format!("filter={}", "x".repeat(MAX_FILTER + 1));
        assert!(PageRequest::parse(&long).is_err());
    }
}
