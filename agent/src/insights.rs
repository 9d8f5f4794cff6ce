//! What finds out about events, as far as it works with and without a link: shared by the handle
//! and the watch.

use std::path::Path;

use podtap_podio::client::Client;
use tokio::sync::watch;

use crate::agent::OpenError;
use crate::config::PodioConfig;
use crate::delivery::gate::HeldObjects;
use crate::explain::Explainer;
use crate::history::{self, History, Watched, Writer};
use crate::hooks::{self, HookDesk, HookReport, KnownHooks};
use crate::own_client::OwnClient;
use crate::standing::Standings;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Insights {
    pub(crate) watched: Watched,
    pub(crate) writer: Writer,
    pub(crate) client: Client,
    pub(crate) held: HeldObjects,
    pub(crate) standings: Standings,
    pub(crate) explainer: Explainer,
    /// What became of the hooks that are wanted.
    pub(crate) hooks: watch::Sender<Vec<HookReport>>,
    pub(crate) desk: HookDesk,
    /// Whether a `hook.verify` is answered.
    pub(crate) verifies: bool,
}

impl Insights {
    /// Opens what it reads from; calls nobody.
    pub(crate) fn open(
        path: &Path,
        history: History,
        writer: Writer,
        config: &PodioConfig,
    ) -> Result<Self, OpenError> {
        let watched = Watched::open(path)?;
        let client = Client::new(config.client.clone())?;
        let standings = Standings::new(watched.clone());
        Ok(Self {
            verifies: config.verify,
            held: history::held_objects(path)?.into_iter().collect(),
            hooks: watch::Sender::new(hooks::waiting(config.hooks.as_ref())),
            desk: HookDesk {
                api: config.client.base_url.clone(),
                places: hooks::configured(config),
                client: client.clone(),
                watched: watched.clone(),
                writer: writer.clone(),
                standings: standings.clone(),
                known: KnownHooks::default(),
            },
            standings,
            explainer: Explainer {
                history,
                watched: watched.clone(),
                writer: writer.clone(),
                client: client.clone(),
                locale: config.locale,
                wished: watch::Sender::default(),
                own: OwnClient::of(config.client.credentials.as_ref()),
            },
            watched,
            writer,
            client,
        })
    }
}
