//! Learns which hook is on which app, field or space, and what that is called: from the lists of
//! hooks of the configured places. Item and comment events name no app (podio.md 1.1).

use std::sync::Arc;
use std::time::Duration;

use podtap_podio::client::{Client, Error};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::history::{Fact, HistoryError, Writer};
use crate::place::{Place, PlaceRef};
use crate::place_name;

/// The least time between two rounds: each costs two calls a place, of some 1,000 an hour.
const ROUND_EVERY: Duration = Duration::from_mins(5);

/// Learns names for as long as it runs.
#[derive(Debug)]
pub(super) struct NameLearner {
    pub(super) client: Client,
    pub(super) writer: Writer,
    pub(super) places: Vec<PlaceRef>,
    /// Told when an event of an unknown hook has come.
    pub(super) unknown: Arc<Notify>,
}

impl NameLearner {
    /// A round at the start, and another one whenever a hook is unknown.
    pub(super) async fn run(self, token: CancellationToken) -> Result<(), HistoryError> {
        let rounds = async {
            if self.places.is_empty() || !self.client.has_credentials() {
                return std::future::pending().await;
            }
            loop {
                for place in &self.places {
                    match learn(&self.client, *place).await {
                        Ok(notes) => self.writer.add_facts(notes).await?,
                        Err(error) => tracing::warn!(%place, %error, "cannot list the hooks"),
                    }
                }
                tokio::time::sleep(ROUND_EVERY).await;
                self.unknown.notified().await;
            }
        };
        tokio::select! {
            () = token.cancelled() => Ok(()),
            ended = rounds => ended,
        }
    }
}

/// Every hook on one place, with the place's name.
async fn learn(client: &Client, at: PlaceRef) -> Result<Vec<Fact>, Error> {
    let hooks = client.hooks(at.ref_type, at.ref_id).await?;
    let place = Place {
        at,
        name: place_name::look_up(client, at).await,
    };
    let learned = hooks.into_iter().map(|hook| Fact::Learned {
        hook_id: hook.hook_id,
        place: place.clone(),
    });
    Ok(learned.collect())
}
