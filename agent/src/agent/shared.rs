//! Creates what the handle and the followers share: readers of the history, the API's client, and
//! the parts that call the API.

use std::path::Path;

use jiff::Timestamp;
use podtap_podio::client::Client;
use tokio::sync::{broadcast, watch};

use super::OpenError;
use super::followers::Followers;
use crate::change::Change;
use crate::config::{LinkConfig, PodioConfig};
use crate::delivery::gate::HeldObjects;
use crate::explain::Explainer;
use crate::figures::Figures;
use crate::handle::AgentHandle;
use crate::history::{self, History, WatchReader, Writer};
use crate::hook_health::HookHealth;
use crate::hooks::{self, HookAdmin, HookMaker, HookReport, TunnelHooks};
use crate::own_client::OwnClient;
use crate::replay::Replayer;
use crate::standing::Standings;
use crate::status::Status;
use crate::watch::Watch;

/// The shared parts; each user receives the ones that it needs.
#[derive(Debug)]
pub(super) struct SharedParts {
    explainer: Explainer,
    hook_admin: HookAdmin,
    figures: Figures,
    pub(super) held: HeldObjects,
    /// The state of the configured hooks.
    hook_reports: watch::Sender<Vec<HookReport>>,
    /// When webhooks were last accepted, if the relay runs in this process and so was off with it.
    was_off_since: Option<Timestamp>,
}

impl SharedParts {
    /// Opens the readers. Makes no calls.
    pub(super) fn open(
        path: &Path,
        history: History,
        writer: Writer,
        config: &PodioConfig,
        link: Option<&LinkConfig>,
    ) -> Result<Self, OpenError> {
        let watched = WatchReader::open(path)?;
        let client = Client::new(config.client.clone())?;
        let standings = Standings::new(watched.clone());
        let hook_admin = HookAdmin {
            api: config.client.base_url.clone(),
            places: hooks::configured_places(config),
            client: client.clone(),
            watched: watched.clone(),
            writer: writer.clone(),
            standings: standings.clone(),
            known: TunnelHooks::default(),
        };
        let explainer = Explainer {
            history,
            watched,
            writer,
            client,
            locale: config.locale,
            visible: watch::Sender::default(),
            own: OwnClient::of(config.client.credentials.as_ref()),
        };
        Ok(Self {
            figures: Figures::new(explainer.clone(), standings),
            held: history::held_objects(path)?.into_iter().collect(),
            hook_reports: watch::Sender::new(hooks::waiting(config.hooks.as_ref())),
            was_off_since: link
                .filter(|link| link.is_own)
                .and_then(|_| history::last_run(path)),
            hook_admin,
            explainer,
        })
    }

    pub(super) fn handle(
        &self,
        replayer: Replayer,
        status: watch::Receiver<Status>,
        changes: broadcast::Sender<Change>,
        verifies: bool,
    ) -> AgentHandle {
        AgentHandle {
            history: self.explainer.history.clone(),
            writer: self.explainer.writer.clone(),
            status,
            changes,
            replayer,
            figures: self.figures.clone(),
            explainer: self.explainer.clone(),
            hook_admin: self.hook_admin.clone(),
            held: self.held.clone(),
            hook_reports: self.hook_reports.clone(),
            verifies,
            routes: None,
        }
    }

    pub(super) fn followers(
        self,
        config: PodioConfig,
        status: &watch::Sender<Status>,
        changes: &broadcast::Sender<Change>,
    ) -> Followers {
        let Self {
            explainer,
            hook_admin,
            figures,
            held,
            hook_reports,
            was_off_since,
        } = self;
        let places = hook_admin.places.clone();
        Followers {
            watch: Watch::new(explainer, held, places, &config, status.subscribe())
                .after_run(was_off_since),
            recorder: figures.recorder(status.subscribe(), changes.subscribe()),
            hook_health: HookHealth::new(&config, hook_admin.clone(), status.subscribe()),
            hooks: HookMaker::new(hook_admin, hook_reports, config, status, changes),
        }
    }
}
