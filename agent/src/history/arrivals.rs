//! What a tunnel brought lately: counted by the places of events, so that nothing is read twice,
//! whatever is shown of them. Events without a `seq` were imported or triggered, and are none.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::position::Position;
use super::row;

/// Newest events that are looked at for what arrived before anybody counted: more than arrive in
/// a minute.
const MOST: u32 = 50_000;

/// Newest events that are looked at for how fast the local service is,
const LATEST: u32 = 5_000;

/// and deliveries of them that count.
const DELIVERIES: u32 = 500;

/// What arrived since somebody asked last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrivals {
    /// The newest event of all.
    pub newest: Position,
    /// How many arrived in each second since the epoch.
    pub seconds: Vec<(i64, u64)>,
    /// Events that came another way.
    pub others: u64,
    /// How long the latest deliveries took, replays left out.
    pub durations: Vec<Duration>,
}

/// What came after `after`; without that, what was accepted since `since`.
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
