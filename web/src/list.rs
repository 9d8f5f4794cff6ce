//! A window of the list: rows around a place, in the filter language of `podtap events`.

use http::StatusCode;
use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_agent::export::shown::ShownRow;
use podtap_agent::history::{Anchor, Filter, PageQuery, Position, Saved};
use serde::Serialize;

use crate::answer::{PageAnswer, error, json, json_as};

/// Rows of a window, at most.
const MAX_ROWS: usize = 200;

/// Characters of a filter, at most.
const MAX_FILTER: usize = 1_000;

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
    rows: Vec<ShownRow<'a>>,
    /// Where looking for older rows stopped before there were enough: there may be more.
    older: Option<i64>,
    newer: Option<i64>,
    newest: i64,
    /// What a person may have meant by the filter.
    hint: Option<String>,
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
                .map(|row| ShownRow::new(row, known.get(&row.id)))
                .collect(),
            older: page.older.map(|place| place.0),
            newer: page.newer.map(|place| place.0),
            newest: page.newest.0,
            hint,
        }),
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
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
