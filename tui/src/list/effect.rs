//! Reads the pages of the list, and counts and finds events, from the history.

use std::time::Duration;

use podtap_agent::history::{
    Anchor, Filter, FoldedQuery, History, HistoryError, HistoryRow, MAX_PAGE, Page, PageQuery,
    Position,
};
use podtap_agent::{AgentHandle, EventId, Target};
use tokio::time::Instant;

use crate::error_text::error_text;
use crate::generation::Generation;

/// A request from the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListEffect {
    /// Reads a page of the history.
    LoadPage {
        /// The number of the request.
        generation: Generation,
        query: PageQuery,
        /// How to fold bursts; `None` to fold none.
        folding: Option<Folding>,
    },
    /// Counts the events that match the filter.
    Count { filter: Filter },
    /// Finds the positions of all events that match a filter, the newest first.
    FindAll {
        filter: Filter,
        /// Maximum number of events to find.
        most: usize,
        purpose: FindPurpose,
    },
}

/// The rows of a page, and how far the history was searched for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ListPage {
    /// The rows, newest first.
    pub(crate) rows: Vec<HistoryRow>,
    /// The position at which the search for older rows stopped early, if it did.
    pub(crate) older: Option<Position>,
    /// The same for newer rows.
    pub(crate) newer: Option<Position>,
    /// The newest position of the history when the page was read.
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
    /// Creates a page with all requested rows.
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

/// The answer to a request. Errors are text for a person, because nothing here can handle them.
#[derive(Debug, Clone)]
pub(crate) enum ListAnswer {
    /// The answer to [`ListEffect::LoadPage`].
    Page {
        generation: Generation,
        /// The rows, newest first, and how far the history was searched for them.
        result: Result<ListPage, String>,
    },
    /// The answer to [`ListEffect::Count`].
    Count {
        /// The filter whose events were counted.
        filter: Filter,
        /// The duration of the count.
        took: Duration,
        /// The number of events, and the position of the newest event of the history at that time.
        result: Result<(u64, Position), String>,
    },
    /// The answer to [`ListEffect::FindAll`].
    FoundAll {
        purpose: FindPurpose,
        /// The positions and ids, newest first.
        result: Result<Vec<(Position, EventId)>, String>,
    },
}

/// How to fold bursts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Folding {
    /// Bursts to leave unfolded, each by the position of one of its events.
    pub(crate) opened: Vec<Position>,
    /// The event that must stay a row of its own.
    pub(crate) pinned: Option<Position>,
}

/// What to do with all events that match a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FindPurpose {
    /// Mark them.
    Mark,
    /// Replay them.
    Replay(ReplayOptions),
}

/// How to replay the events once they are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayOptions {
    /// What the events are part of, in words.
    pub(crate) of: Option<String>,
    /// Whether to ask a person for confirmation first.
    pub(crate) asks: bool,
    /// The target, instead of the configured local service.
    pub(crate) target: Option<Target>,
    /// Number of events per second.
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

/// Reads a page of the list, with bursts folded if `folding` says so.
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

/// Finds the newest `most` events that match the filter, page by page.
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
