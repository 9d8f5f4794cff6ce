//! What the panes want to know, read from the history and made ready to be shown.

use jiff::tz::TimeZone;
use podtap_agent::history::{
    Anchor, Event, Filter, FoldedQuery, History, HistoryError, MAX_PAGE, Page, PageQuery, Position,
};
use podtap_agent::{AgentHandle, EventId};

use super::words;
use crate::detail::{Look, Opened, Story};
use crate::editor;
use crate::effect::Folding;
use crate::line::Line;
use crate::search::Seen;

/// A page of the list, with bursts folded where that is wanted.
pub(super) async fn page(
    history: &History,
    query: PageQuery,
    folding: Option<Folding>,
) -> Result<Page, HistoryError> {
    let Some(Folding { opened, kept }) = folding else {
        return history.look(query).await;
    };
    let PageQuery { anchor, limit, .. } = query;
    history
        .folded_page(FoldedQuery {
            anchor,
            limit,
            opened,
            kept,
        })
        .await
        .map(Page::from)
}

/// The places of the newest `most` events that the filter wants, a page after the other.
pub(super) async fn find_all(
    history: &History,
    filter: Filter,
    most: usize,
) -> Result<Vec<(Position, EventId)>, HistoryError> {
    let (mut found, mut anchor) = (Vec::new(), Anchor::Newest);
    while found.len() < most {
        let limit = MAX_PAGE.min(most - found.len());
        let query = PageQuery {
            filter: filter.clone(),
            anchor,
            limit,
        };
        let page = history.look(query).await?;
        found.extend(page.rows.iter().map(|row| (row.position, row.id)));
        anchor = match (page.older, page.rows.last()) {
            (Some(Position(older)), _) => Anchor::Before(Position(older.saturating_add(1))),
            (None, Some(last)) if page.rows.len() == limit => Anchor::Before(last.position),
            (None, _) => break,
        };
    }
    Ok(found)
}

/// One event, whole.
pub(super) async fn event(history: &History, id: EventId) -> Result<Box<Event>, String> {
    let event = history.event(id).await.map_err(words)?;
    event
        .map(Box::new)
        .ok_or_else(|| "the event is no longer in the history".to_owned())
}

/// The values that a filter may name; none where they cannot be read, which costs only an offer.
pub(super) async fn values(history: &History) -> Seen {
    let values = history.values().await.unwrap_or_default();
    Seen {
        types: values.types,
        hooks: values.hooks,
    }
}

/// The lines in which the requests of two events differ.
pub(super) async fn compare(
    history: &History,
    one: EventId,
    other: EventId,
) -> Result<Vec<Line>, String> {
    let (one, other) = tokio::join!(history.event(one), history.event(other));
    let (Some(one), Some(other)) = (one.map_err(words)?, other.map_err(words)?) else {
        return Err("one of the two events is no longer in the history".to_owned());
    };
    let compared =
        move || editor::difference(&editor::write(&one.request), &editor::write(&other.request));
    tokio::task::spawn_blocking(compared).await.map_err(words)
}

/// Reads all that is known of an event and lays it out, the latter on a thread that may block.
pub(super) async fn open(
    agent: &AgentHandle,
    id: EventId,
    look: Look,
    zone: TimeZone,
) -> Result<Option<Box<Opened>>, String> {
    let history = agent.history();
    let Some(event) = history.event(id).await.map_err(words)? else {
        return Ok(None);
    };
    let story = Story {
        attempts: history.attempts(id).await.map_err(words)?,
        explanation: agent.explained(&event).await.map_err(words)?,
        event,
    };
    let lay_out = move || Box::new(Opened::new(story, look, &zone));
    tokio::task::spawn_blocking(lay_out)
        .await
        .map(Some)
        .map_err(words)
}
