//! Reads what the relay refused or removed, newest first:
//! how many webhooks are missing, and from when they may be.

use jiff::{SignedDuration, Timestamp};
use podtap_wire::Seq;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::HistoryError;
use super::findings::{self, Finding};
use super::incident::Incident;
use super::row;
use super::watch::WatchReader;

/// Maximum number of findings that are searched for losses, newest first.
const LOOKED_AT: usize = 1_000;

/// Maximum number of losses in the result.
const MAX_LOSSES: usize = 20;

/// Webhooks that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The relay refused the webhooks.
    Refused {
        count: u64,
        reason: String,
        last_at: Timestamp,
    },
    /// A limit removed the webhooks from the relay's queue.
    Removed {
        count: u64,
        reason: String,
        /// Times at which the events before and after them were accepted.
        after: Option<Timestamp>,
        before: Option<Timestamp>,
    },
}

impl Loss {
    /// Returns whether a webhook of this time may be one of
    /// the lost ones, if the clocks differ by at most `apart`.
    pub(crate) fn may_be_of(&self, at: Timestamp, apart: SignedDuration) -> bool {
        let earliest = at.checked_sub(apart).unwrap_or(at);
        let latest = at.checked_add(apart).unwrap_or(at);
        match self {
            Self::Refused { last_at, .. } => *last_at >= earliest,
            Self::Removed { after, before, .. } => {
                after.is_none_or(|after| after <= latest)
                    && before.is_none_or(|before| before >= earliest)
            }
        }
    }

    pub(crate) fn words(&self) -> String {
        match self {
            Self::Refused {
                count,
                reason,
                last_at,
            } => format!(
                "the relay refused {} ({reason}), the last at {}",
                webhooks(*count),
                last_at.strftime("%Y-%m-%d %H:%M:%S UTC")
            ),
            Self::Removed { count, reason, .. } => {
                format!(
                    "the relay removed {} before the agent took them: {reason}",
                    webhooks(*count)
                )
            }
        }
    }
}

fn webhooks(count: u64) -> String {
    match count {
        1 => "1 webhook".to_owned(),
        count => format!("{count} webhooks"),
    }
}

impl WatchReader {
    /// Returns what the relay refused or removed, newest first.
    pub(crate) async fn losses(&self) -> Result<Vec<Loss>, HistoryError> {
        self.read(losses).await
    }
}

fn losses(connection: &Connection) -> rusqlite::Result<Vec<Loss>> {
    let found = findings::newest(connection, LOOKED_AT)?.into_iter();
    let lost = found.filter_map(|finding| match finding {
        Finding::Incident(Incident::Refused {
            count,
            reason,
            last_at,
        }) => Some(Ok(Loss::Refused {
            count,
            reason,
            last_at,
        })),
        Finding::Incident(Incident::Gap { from, to, reason }) => {
            Some(loss_of_gap(connection, from, to, reason))
        }
        _ => None,
    });
    lost.take(MAX_LOSSES).collect()
}

fn loss_of_gap(
    connection: &Connection,
    from: Seq,
    to: Seq,
    reason: String,
) -> rusqlite::Result<Loss> {
    let at = |sql: &str, Seq(seq): Seq| {
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_row(params![row::id_to_sql(seq)], |found| {
            row::timestamp(found, "received_at")
        });
        found.optional()
    };
    Ok(Loss::Removed {
        count: Incident::count(from, to),
        reason,
        after: at(
            "SELECT received_at FROM events WHERE seq < ? ORDER BY position DESC LIMIT 1",
            from,
        )?,
        before: at(
            "SELECT received_at FROM events WHERE seq > ? ORDER BY position LIMIT 1",
            to,
        )?,
    })
}
