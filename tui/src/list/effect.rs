//! What the list asks of the history, and what comes of it.

use std::time::Duration;

use podtap_agent::history::{
    Anchor, Filter, FoldedQuery, History, HistoryError, HistoryRow, MAX_PAGE, Page, PageQuery,
    Position,
};
use podtap_agent::{AgentHandle, EventId, Target};
use tokio::time::Instant;

use crate::error_text::error_text;
use crate::generation::Generation;

/// A question of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListEffect {
    /// Read a page of the history.
    LoadPage {
        /// Which question this is.
        generation: Generation,
        query: PageQuery,
        /// How bursts are to be folded, where they are.
        folding: Option<Folding>,
    },
    /// Count the events that the filter lets through.
    Count { filter: Filter },
    /// Find the places of all events that a filter wants, the newest first.
    FindAll {
        filter: Filter,
        /// At most this many.
        most: usize,
        purpose: FindPurpose,
    },
}

/// Rows, and how far the history was looked at for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ListPage {
    /// The rows, newest first.
    pub(crate) rows: Vec<HistoryRow>,
    /// Where looking for older rows stopped before there were enough of them.
    pub(crate) older: Option<Position>,
    /// The same for newer rows.
    pub(crate) newer: Option<Position>,
    /// The newest place of the history when this was read.
    pub(crate) newest: Position,
}

impl From<Page> for ListPage {
    fn from(page: Page) -> Self {
        Self {
            rows: page.rows.into_iter().map(HistoryRow::Event).collect(),
            older: page.older,
            newer: page.newer,
            newest: page.newest,
        }
    }
}

impl From<Vec<HistoryRow>> for ListPage {
    /// A page that holds all that it was asked for.
    fn from(rows: Vec<HistoryRow>) -> Self {
        let newest = rows.first().map(HistoryRow::position).unwrap_or_default();
        Self {
            rows,
            newest,
            ..Self::default()
        }
    }
}

#[cfg(test)]
impl From<Vec<podtap_agent::history::EventRow>> for ListPage {
    fn from(rows: Vec<podtap_agent::history::EventRow>) -> Self {
        let rows: Vec<_> = rows.into_iter().map(HistoryRow::Event).collect();
        rows.into()
    }
}

/// What came of it. Errors are words for a person: nothing here can act on more.
#[derive(Debug, Clone)]
pub(crate) enum ListAnswer {
    /// To [`ListEffect::LoadPage`].
    Page {
        generation: Generation,
        /// The rows, newest first, and how far they were looked for.
        result: Result<ListPage, String>,
    },
    /// To [`ListEffect::Count`].
    Count {
        /// Which events were counted.
        filter: Filter,
        /// How long it took.
        took: Duration,
        /// How many, up to which event.
        result: Result<(u64, Position), String>,
    },
    /// To [`ListEffect::FindAll`].
    FoundAll {
        purpose: FindPurpose,
        /// Where they are, newest first.
        result: Result<Vec<(Position, EventId)>, String>,
    },
}

/// How bursts are folded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Folding {
    /// Those that are not, each by one of its events.
    pub(crate) opened: Vec<Position>,
    /// The event that stays a row of its own.
    pub(crate) pinned: Option<Position>,
}

/// What all events that pass a filter are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FindPurpose {
    /// To be marked.
    Mark,
    /// To be replayed.
    Replay(ReplayOptions),
}

/// How events are to be replayed once they are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayOptions {
    /// What they are part of, in words.
    pub(crate) of: Option<String>,
    /// Whether a person is still to be asked.
    pub(crate) asks: bool,
    /// Where to, instead of the configured local service.
    pub(crate) target: Option<Target>,
    /// How many per second.
    pub(crate) rate: Option<usize>,
}

pub(crate) async fn run(effect: ListEffect, agent: &AgentHandle) -> ListAnswer {
    let history = agent.history();
    match effect {
        ListEffect::LoadPage {
            generation,
            query,
            folding,
        } => {
            let result = page(history, query, folding).await.map_err(error_text);
            ListAnswer::Page { generation, result }
        }
        ListEffect::Count { filter } => {
            let start = Instant::now();
            let result = history.count_through(filter.clone()).await;
            let result = result.map_err(error_text);
            ListAnswer::Count {
                filter,
                took: start.elapsed(),
                result,
            }
        }
        ListEffect::FindAll {
            filter,
            most,
            purpose,
        } => {
            let result = find_all(history, filter, most).await.map_err(error_text);
            ListAnswer::FoundAll { purpose, result }
        }
    }
}

/// A page of the list, with bursts folded where that is wanted.
async fn page(
    history: &History,
    query: PageQuery,
    folding: Option<Folding>,
) -> Result<ListPage, HistoryError> {
    let Some(Folding { opened, pinned }) = folding else {
        return history.partial_page(query).await.map(ListPage::from);
    };
    let PageQuery { anchor, limit, .. } = query;
    history
        .folded_page(FoldedQuery {
            anchor,
            limit,
            opened,
            kept: pinned,
        })
        .await
        .map(ListPage::from)
}

/// The places of the newest `most` events that the filter wants, one page after the other.
async fn find_all(
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
        let page = history.partial_page(query).await?;
        found.extend(page.rows.iter().map(|row| (row.position, row.id)));
        anchor = match (page.older, page.rows.last()) {
            (Some(Position(older)), _) => Anchor::Before(Position(older.saturating_add(1))),
            (None, Some(last)) if page.rows.len() == limit => Anchor::Before(last.position),
            (None, _) => break,
        };
    }
    Ok(found)
}
