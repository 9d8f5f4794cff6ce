//! Counts what a tunnel received lately. It counts by position, so that
//! no event is counted twice, whatever a list shows. Events without a
//! `seq` were imported or triggered and do not count as arrivals.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::position::Position;
use super::row;

/// Maximum number of newest events that are read for the first count: more than arrive in a minute.
const MOST: u32 = 50_000;

/// Maximum number of newest events that are read to find how fast the local service is.
const LATEST: u32 = 5_000;

/// Maximum number of deliveries of those events that are read.
const DELIVERIES: u32 = 500;

/// The events that arrived since the last count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrivals {
    /// The newest event of the history.
    pub newest: Position,
    /// Number of arrivals in each second since the epoch.
    pub seconds: Vec<(i64, u64)>,
    /// Number of events that came another way (trigger, import).
    pub others: u64,
    /// Durations of the latest deliveries, without replays.
    pub durations: Vec<Duration>,
}

/// Counts the events after `after`; without it, those accepted since `since`.
pub(super) fn arrivals(
    connection: &Connection,
    after: Option<Position>,
    since: Timestamp,
) -> rusqlite::Result<Arrivals> {
    let newest = "SELECT ifnull(max(position), 0) FROM events";
    let newest: i64 = connection.query_row(newest, [], |row| row.get(0))?;
    let low = after.map_or(0, |after| after.0);
    let since = after.map_or(since.as_millisecond(), |_| i64::MIN);
    let seconds = connection
        .prepare_cached(
            "SELECT received_at / 1000 AS second, count(*) AS events FROM ( \
                 SELECT received_at, seq FROM events WHERE position > ? AND position <= ? \
                 ORDER BY position DESC LIMIT ?) \
             WHERE seq IS NOT NULL AND received_at >= ? GROUP BY second",
        )?
        .query_map(params![low, newest, MOST, since], |row| {
            Ok((row.get("second")?, row.get("events")?))
        })?
        .collect::<Result<_, _>>()?;
    let others = match after {
        None => 0,
        Some(after) => connection
            .prepare_cached(
                "SELECT count(*) FROM events WHERE position > ? AND position <= ? AND seq IS NULL",
            )?
            .query_row([after.0, newest], |row| row.get(0))?,
    };
    let durations = connection
        .prepare_cached(
            "SELECT last_duration_us FROM events \
             WHERE position > ? AND seq IS NOT NULL AND last_replay = 0 \
             AND last_duration_us IS NOT NULL ORDER BY position DESC LIMIT ?",
        )?
        .query_map(params![newest - i64::from(LATEST), DELIVERIES], |found| {
            found.get(0).map(row::micros)
        })?
        .collect::<Result<_, _>>()?;
    Ok(Arrivals {
        newest: Position(newest),
        seconds,
        others,
        durations,
    })
}
