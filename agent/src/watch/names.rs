//! Learns the app, field or space of each hook, and its name, from the lists of hooks of the
//! configured places. Item and comment events do not name their app (podio.md 1.1).

use std::sync::Arc;
use std::time::Duration;

use podtap_podio::client::{Client, Error};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::history::{Fact, HistoryError, Writer};
use crate::place::{Place, PlaceRef};
use crate::place_name;

/// Minimum time between two rounds: each costs two calls per place, of some 1,000 per hour.
const ROUND_EVERY: Duration = Duration::from_mins(5);

/// Learns names as long as it runs.
#[derive(Debug)]
pub(super) struct NameLearner {
    pub(super) client: Client,
    pub(super) writer: Writer,
    pub(super) places: Vec<PlaceRef>,
    /// Notified when an event of an unknown hook has arrived.
    pub(super) unknown: Arc<Notify>,
}

impl NameLearner {
    /// Runs a round at the start, and another one when a hook is unknown.
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

/// Returns every hook on one place, with the place's name.
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
