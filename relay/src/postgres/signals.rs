//! Wakes other relays with notifications of the database, on a separate connection. Each
//! relay also checks for changes periodically, so a lost notification only causes a delay.
//!
//! A notification is sent after the commit that it announces. Inside a transaction, a
//! notification takes a lock for which all commits of the database wait.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::poll_fn;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_postgres::{AsyncMessage, Client, Error};
use tokio_util::sync::CancellationToken;

use super::RelayId;
use super::depths::Depths;
use crate::database::postgres::{Postgres, words};
use crate::queue::TunnelId;

/// Time for which notifications are collected before they are sent together.
const GATHER: Duration = Duration::from_millis(5);

/// Time to wait before another attempt to connect.
const RECONNECT: Duration = Duration::from_secs(1);

/// Maximum number of tunnels in one notification, whose limit is 8,000 bytes.
const MAX_TUNNELS: usize = 300;

/// Name of the notification channel.
const CHANNEL: &str = "podtap";

/// Notifications to send, and those received.
#[derive(Debug)]
pub(super) struct Notifications {
    relay: RelayId,
    depths: Arc<Depths>,
    out: Mutex<Out>,
    told: Notify,
    /// Whether another relay has announced a change of the roster.
    has_roster_changed: AtomicBool,
    /// Whether another relay has announced refusals for an agent of this relay.
    has_refused: AtomicBool,
    /// Notified when an answer for this relay has arrived.
    pub(super) answered: Notify,
}

#[derive(Debug, Default)]
struct Out {
    stored: BTreeSet<TunnelId>,
    roster: bool,
    refused: bool,
    answered: BTreeSet<i64>,
}

impl Notifications {
    pub(super) fn new(relay: RelayId, depths: Arc<Depths>) -> Self {
        Self {
            relay,
            depths,
            out: Mutex::default(),
            told: Notify::new(),
            has_roster_changed: AtomicBool::new(true),
            has_refused: AtomicBool::new(true),
            answered: Notify::new(),
        }
    }

    /// Announces that events were stored in these tunnels.
    pub(super) fn tell_stored(&self, tunnels: impl Iterator<Item = TunnelId>) {
        self.tell(|out| out.stored.extend(tunnels));
    }

    /// Announces that the roster has changed, or that a session is asked to give up its tunnel.
    pub(super) fn tell_roster_changed(&self) {
        self.tell(|out| out.roster = true);
    }

    /// Announces that there are refusals for agents of other relays.
    pub(super) fn tell_refused(&self) {
        self.tell(|out| out.refused = true);
    }

    /// Returns whether another relay has announced refusals since the last call.
    pub(super) fn take_refused(&self) -> bool {
        self.has_refused.swap(false, Ordering::AcqRel)
    }

    /// Announces to a relay that there is an answer for it.
    pub(super) fn answer_for(&self, relay: RelayId) {
        self.tell(|out| out.answered.extend([relay.0]));
    }

    /// Returns whether another relay has announced a change of the roster since the last call.
    pub(super) fn take_roster_changed(&self) -> bool {
        self.has_roster_changed.swap(false, Ordering::AcqRel)
    }

    fn tell(&self, change: impl FnOnce(&mut Out)) {
        change(&mut self.out.lock().unwrap_or_else(PoisonError::into_inner));
        self.told.notify_one();
    }

    /// Sends and receives notifications until `token` is cancelled.
    pub(super) async fn run(&self, database: &Postgres, token: &CancellationToken) {
        let work = async {
            loop {
                if let Err(error) = self.notify_and_listen(database).await {
                    tracing::debug!(error = words(&error), "notifications are interrupted");
                }
                sleep(RECONNECT).await;
            }
        };
        // The periodic checks of the receivers find what was not announced.
        token.run_until_cancelled(work).await;
    }

    async fn notify_and_listen(&self, database: &Postgres) -> Result<(), Error> {
        let (client, mut connection) = database.connector().raw().await?;
        let mut messages = poll_fn(move |cx| connection.poll_message(cx));
        let hearing = async {
            while let Some(message) = messages.next().await {
                if let AsyncMessage::Notification(heard) = message? {
                    self.hear(heard.payload());
                }
            }
            Ok(())
        };
        // Neither future is polled again after one has completed.
        tokio::select! {
            ended = hearing => ended,
            ended = self.send_notifications(&client) => ended,
        }
    }

    async fn send_notifications(&self, client: &Client) -> Result<(), Error> {
        client.batch_execute("LISTEN podtap").await?;
        loop {
            self.told.notified().await;
            let out = std::mem::take(&mut *self.out.lock().unwrap_or_else(PoisonError::into_inner));
            for payload in out.payloads(self.relay) {
                client
                    .execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &payload])
                    .await?;
            }
            sleep(GATHER).await;
        }
    }

    fn hear(&self, payload: &str) {
        let mut words = payload.split(' ');
        let (kind, relay) = (words.next(), words.next().and_then(|id| id.parse().ok()));
        let is_own = relay == Some(self.relay.0);
        match kind {
            Some("stored") if !is_own => {
                let tunnels = words.next().unwrap_or_default().split(',');
                self.depths
                    .touch(tunnels.filter_map(|id| id.parse().ok().map(TunnelId)));
            }
            Some("roster") if !is_own => self.has_roster_changed.store(true, Ordering::Release),
            Some("refused") if !is_own => self.has_refused.store(true, Ordering::Release),
            Some("answered") if is_own => self.answered.notify_one(),
            // Ignores notifications of newer relays and of other users of the channel.
            _ => {}
        }
    }
}

impl Out {
    fn payloads(self, relay: RelayId) -> Vec<String> {
        let tunnels: Vec<String> = self.stored.iter().map(|it| it.0.to_string()).collect();
        let stored = tunnels.chunks(MAX_TUNNELS);
        let stored = stored.map(|part| format!("stored {} {}", relay.0, part.join(",")));
        let roster = self.roster.then(|| format!("roster {}", relay.0));
        let refused = self.refused.then(|| format!("refused {}", relay.0));
        let answered = self.answered.iter().map(|it| format!("answered {it}"));
        stored
            .chain(roster)
            .chain(refused)
            .chain(answered)
            .collect()
    }
}
