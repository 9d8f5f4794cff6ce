//! Finds many events without their rows, which are then read in pages: memory holds a few bytes of
//! each event, and the rows of one page.

use rusqlite::Connection;

use super::History;
use super::error::HistoryError;
use super::event::{EventRow, FoundEvent};
use super::filter::Filter;
use super::page::MAX_PAGE;
use super::position::Position;
use super::row;
use super::select::{Range, Reach, Select};

impl History {
    /// Finds the newest events that match, oldest first, at most `limit`.
    pub async fn find_newest(
        &self,
        filter: Filter,
        limit: usize,
    ) -> Result<Vec<FoundEvent>, HistoryError> {
        self.far
            .read(move |connection| {
                let select = Select::new(connection, &filter, Reach::End);
                let mut found = select.newest_found(Range::ALL, limit)?;
                found.reverse();
                Ok(found)
            })
            .await
    }

    /// Finds the oldest events after a position that match, oldest first, at most `limit`.
    pub async fn find_after(
        &self,
        after: Position,
        filter: Filter,
        limit: usize,
    ) -> Result<Vec<FoundEvent>, HistoryError> {
        let range = Range {
            low: after.0.saturating_add(1),
            ..Range::ALL
        };
        self.far
            .read(move |connection| {
                Select::new(connection, &filter, Reach::End).oldest_found(range, limit)
            })
            .await
    }

    /// Returns the rows of at most [`MAX_PAGE`] events, oldest first. Events that were deleted
    /// meanwhile, or cannot be read, are left out.
    pub async fn rows_of(&self, events: &[FoundEvent]) -> Result<Vec<EventRow>, HistoryError> {
        let events = events.iter().take(MAX_PAGE);
        let positions: Vec<i64> = events.map(|event| event.position.0).collect();
        self.for_pages()
            .read(move |connection| rows_at(connection, &positions))
            .await
    }
}

fn rows_at(connection: &Connection, positions: &[i64]) -> rusqlite::Result<Vec<EventRow>> {
    let (columns, with_hook) = (row::EVENT_ROW, row::WITH_HOOK);
    let sql = format!(
        "SELECT {columns} FROM events AS e {with_hook} \
         WHERE e.position IN (SELECT value FROM json_each(?)) ORDER BY e.position"
    );
    let positions = row::to_json(&positions)?;
    row::rows(connection, &sql, [positions], row::event_row)
}
