//! `list_events`: returns rows of the history.

use podtap_agent::export::shown::ShownRow;
use podtap_agent::history::{Anchor, PageQuery, Position};
use schemars::JsonSchema;
use serde::Deserialize;

use super::filter;
use crate::answer::ToolAnswer;
use crate::arguments::within;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Lists webhooks that Podtap captured, newest first: id, time, event type, object, \
     the outcome of the last delivery (status or error), and marks such as duplicate. Use get_event for one in full.";

const MAX_ROWS: u32 = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListEventsArguments {
    /// Terms that must all match, such as `type:item.update item:4711 status:>=400 after:10m -type:hook.verify "text"`.
    /// `status:` takes a status, `5xx`, `error`, `pending` or `held`. Empty: all events.
    #[serde(default)]
    filter: String,
    /// Maximum number of events.
    #[serde(default = "rows")]
    #[schemars(range(min = 1, max = 100))]
    limit: u32,
    /// Only events before this `position`, for the next page.
    #[serde(default)]
    before: Option<i64>,
}

const fn rows() -> u32 {
    20
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: ListEventsArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let limit = within("limit", arguments.limit, 1, MAX_ROWS)?;
    let (filter, hint) = filter::parse(&arguments.filter, world)?;
    let unknown = filter.unknown_name().map(|name| format!("{name}."));
    let handle = world.source.handle()?;
    let query = PageQuery {
        filter,
        anchor: match arguments.before {
            Some(place) => Anchor::Before(Position(place)),
            None => Anchor::Newest,
        },
        limit,
    };
    let rows = handle.history().page(query).await?;
    let known = handle.recall_rows(&rows).await?;
    let mut words = match rows.len() {
        0 => "No event matches.".to_owned(),
        1 => "1 event.".to_owned(),
        count => format!("{count} events, newest first."),
    };
    if let Some(last) = rows.last().filter(|_| rows.len() == limit) {
        let place = last.position.0;
        words.push_str(&format!(" For older ones, call again with before={place}."));
    }
    if let Some(hint) = hint.or_else(|| unknown.filter(|_| rows.is_empty())) {
        words.push_str(&format!("\n{hint}"));
    }
    let shown = rows
        .iter()
        .map(|row| ShownRow::new(row, known.get(&row.id)));
    Ok(ToolAnswer::new(words).with_all(shown))
}
