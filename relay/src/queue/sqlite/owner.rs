//! Sums up what the queues of each owner contain, within one transaction. The limits are in
//! `crate::queue::share`.

use std::collections::HashMap;
use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension as _};

use crate::database::ENDS;
use crate::queue::share::{OwnerUsage, SpaceLeft};
use crate::queue::{AppendError, EngineLimits, TunnelId};

/// Owners of the tunnels to which a transaction appends events.
#[derive(Debug, Default)]
pub(super) struct Owners {
    of_tunnel: HashMap<TunnelId, usize>,
    /// Usage of the owners. Events that the same transaction removes are counted until it ends.
    held: Vec<OwnerUsage>,
    names: HashMap<String, usize>,
}

impl Owners {
    /// Counts a new event of a tunnel, unless its owner has reached a limit.
    pub(super) fn admit(
        &mut self,
        connection: &Connection,
        tunnel: TunnelId,
        bytes: u64,
        limits: &EngineLimits,
        left: &mut SpaceLeft,
    ) -> rusqlite::Result<Result<(), AppendError>> {
        let number = match self.of_tunnel.get(&tunnel) {
            Some(number) => *number,
            None => self.find(connection, tunnel)?,
        };
        let Some(held) = self.held.get_mut(number) else {
            return Ok(Err(AppendError::UnknownTunnel));
        };
        Ok(held.admit(bytes, left, limits))
    }

    fn find(&mut self, connection: &Connection, tunnel: TunnelId) -> rusqlite::Result<usize> {
        let owner: Option<String> = connection
            .prepare_cached("SELECT owner FROM tunnels WHERE id = ?1")?
            .query_row([tunnel.0], |row| row.get(0))
            .optional()?;
        let Some(owner) = owner else {
            return Ok(usize::MAX);
        };
        let number = if let Some(known) = self.names.get(&owner) {
            *known
        } else {
            let next = self.held.len();
            self.held.push(read_held(connection, &owner)?);
            self.names.insert(owner, next);
            next
        };
        self.of_tunnel.insert(tunnel, number);
        Ok(number)
    }
}

static HELD: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT coalesce(sum(last_seq - removed_seq), 0) AS events,
                coalesce(sum(last_bytes - removed_bytes), 0) AS bytes
         FROM tunnels JOIN {ENDS} AS ends ON ends.tunnel = tunnels.id WHERE tunnels.owner = ?1"
    )
});

fn read_held(connection: &Connection, owner: &str) -> rusqlite::Result<OwnerUsage> {
    connection.prepare_cached(&HELD)?.query_row([owner], |row| {
        Ok(OwnerUsage {
            events: row.get("events")?,
            bytes: row.get("bytes")?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnels(connection: &Connection, owner: &str, bytes: u64) -> TunnelId {
        connection
            .execute("INSERT INTO tunnels (owner) VALUES (?1)", [owner])
            .unwrap();
        let id = connection.last_insert_rowid();
        connection
            .execute(
                "INSERT INTO queues VALUES (?1, 1, ?2, 0, 0, 0)",
                (id, bytes),
            )
            .unwrap();
        TunnelId(id)
    }

    #[test]
    fn all_tunnels_of_an_owner_are_counted_together_and_those_of_others_are_not() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE tunnels (id INTEGER PRIMARY KEY, owner TEXT);
                 CREATE TABLE queues (tunnel INTEGER, last_seq INTEGER, last_bytes INTEGER,
                                      removed_seq INTEGER, removed_bytes INTEGER, last_at INTEGER);
                 CREATE TABLE events (tunnel INTEGER, seq INTEGER, bytes_through INTEGER,
                                      received_at INTEGER);",
            )
            .unwrap();
        let (mib, limits) = (
            1024 * 1024,
            EngineLimits::from(&crate::config::Limits::default()),
        );
        let first = tunnels(&connection, "ada", 60 * mib);
        let second = tunnels(&connection, "ada", 39 * mib);
        let bobs = tunnels(&connection, "bob", 0);
        let mut owners = Owners::default();
        let mut left = SpaceLeft {
            total: u64::MAX,
            disk: 100 * mib,
        };
        let mut admit = |tunnel, bytes| {
            owners
                .admit(&connection, tunnel, bytes, &limits, &mut left)
                .unwrap()
        };
        assert_eq!(admit(first, mib), Ok(()), "as much as is left");
        assert_eq!(admit(second, 1), Err(AppendError::ShareOfDisk));
        assert_eq!(admit(bobs, mib), Ok(()));
        assert_eq!(admit(TunnelId(99), 1), Err(AppendError::UnknownTunnel));
    }
}
