//! The only access to a running agent: commands go in, status and changes come out.

mod figures;
mod repair;
mod why;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use podtap_podio::hook_url::Uncallable;
use podtap_podio::{EventType, ObjectRef};
use podtap_wire::EventId;
use tokio::sync::{broadcast, watch};

use crate::change::Change;
use crate::delivery::gate::HeldObjects;
use crate::explain::{ExplainError, Explainer, Explanation, RememberedEvent};
use crate::figures::Figures;
use crate::history::{
    Attempt, Event, EventKey, EventRow, Fact, History, HistoryError, Position, Writer, whole_note,
};
use crate::hooks::{HookAdmin, HookFacts, HookListing, HookReport, HookUrls, ManageHooksError};
use crate::import::{ArchiveImport, ImportError, ImportReport};
use crate::place::PlaceRef;
use crate::replay::{Replay, ReplayError, Replayer};
use crate::routes::{CurrentRoutes, Routes};
use crate::standing::HookStanding;
use crate::status::Status;
use crate::target::Target;
use crate::trigger::{Trigger, TriggerError, TriggerResult};

/// A handle on an agent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AgentHandle {
    pub(crate) history: History,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) replayer: Replayer,
    pub(crate) writer: Writer,
    pub(crate) explainer: Explainer,
    pub(crate) hook_admin: HookAdmin,
    pub(crate) held: HeldObjects,
    pub(crate) hook_reports: watch::Sender<Vec<HookReport>>,
    /// Whether each `hook.verify` is answered.
    pub(crate) verifies: bool,
    pub(crate) figures: Figures,
    /// The routes of events, if the agent delivers.
    pub(crate) routes: Option<watch::Sender<CurrentRoutes>>,
}

impl AgentHandle {
    /// Returns the history, for reading.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Returns the status, now and as it changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Returns this handle for a history whose agent runs in another process: `status` is the
    /// status of that agent, and replays go to its targets.
    #[must_use]
    pub fn with_status_of_another(mut self, status: watch::Receiver<Status>) -> Self {
        self.replayer.status = status.clone();
        self.status = status;
        self
    }

    /// Returns the changes from now on. A change is a hint to read the history again and contains
    /// no data, so a lagging reader loses nothing.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Sends an event to a local service once more, immediately and outside the
    /// lanes. Returns when the attempt has ended and is stored. If the event has
    /// several targets and none is given, it is sent to each, and the attempt
    /// with the worst outcome is returned. Works with and without a link.
    pub async fn replay(&self, replay: Replay) -> Result<Attempt, ReplayError> {
        self.replayer.replay(replay).await
    }

    /// Returns the targets of an event according to the current
    /// routes, else the target to which it was first sent.
    pub async fn targets_of(&self, event: &Event) -> Result<Vec<Target>, HistoryError> {
        self.replayer.targets_of(event).await
    }

    /// Changes the routes for waiting and future events. If `with_held`,
    /// events that were held because there was no target are delivered,
    /// too; otherwise they stay held and can be replayed.
    ///
    /// Returns whether this agent delivers at all.
    pub fn set_routes(&self, routes: Routes, with_held: bool) -> bool {
        let Some(sender) = &self.routes else {
            return false;
        };
        let routes = Arc::new(routes);
        sender.send_modify(|course| {
            let with_held = with_held || course.with_held;
            *course = CurrentRoutes { routes, with_held };
        });
        true
    }

    /// Stores an event that was not received, and sends it to a local service, immediately and
    /// outside the lanes. Returns when its attempt has ended and is stored. Works with and without
    /// a link. No conclusions about Podio are drawn from it.
    pub async fn trigger(&self, trigger: Trigger) -> Result<TriggerResult, TriggerError> {
        self.replayer.trigger(trigger).await
    }

    /// Returns what Podio knows about an event: requested now, or stored from the last time. Works
    /// with and without a link.
    pub async fn explain(&self, event: EventId) -> Result<Explanation, ExplainError> {
        self.explainer.explain(event).await
    }

    /// Returns the stored explanation of an event, if it was explained before; costs no call.
    pub async fn recall_explanation(
        &self,
        event: &Event,
    ) -> Result<Option<Explanation>, HistoryError> {
        match &event.podio {
            Some(podio) => self.explainer.recall(podio).await,
            None => Ok(None),
        }
    }

    /// Returns what is stored of Podio's answers about these events, for a list: titles, and which
    /// fields were changed. Costs no call; events about which nothing is known are omitted.
    pub async fn recall_rows(
        &self,
        rows: &[EventRow],
    ) -> Result<HashMap<EventId, RememberedEvent>, HistoryError> {
        self.explainer.recall_rows(rows).await
    }

    /// Sets the events that are visible. Those that came through a relay and are not explained yet
    /// are explained, within a share of the hour's calls, until others are set. A
    /// [`Named`](crate::history::HistoryChange::Named) is sent when more is known. Does nothing
    /// without credentials or without a link.
    pub fn ask_ahead(&self, events: impl IntoIterator<Item = EventId>) {
        self.explainer.set_visible(events);
    }

    /// Returns, for each hook that was called within a week, what Podio would have concluded if it
    /// had called the local service itself. First attempts count, replays do not. Works with and
    /// without a link; the first call may take a second or two.
    pub async fn standings(&self) -> Result<Vec<HookStanding>, HistoryError> {
        self.hook_admin.standings.at(Timestamp::now()).await
    }

    /// Returns the hooks that this agent creates, now
    /// and as they change; none if none are configured.
    pub fn hooks(&self) -> watch::Receiver<Vec<HookReport>> {
        self.hook_reports.subscribe()
    }

    /// Returns the hooks of the known places, as Podio lists them: the places of the configuration,
    /// and those that the history has learned, at most [`MAX_PLACES`](crate::hooks::MAX_PLACES).
    /// Costs one call per place of some 1,000 per hour (podio.md 4.3), so call it only on a
    /// person's request. Works with and without a link.
    ///
    /// The answer names places that cannot be listed.
    ///
    /// # Errors
    /// Without credentials, and if the rest of the hour's calls is reserved for managing hooks.
    pub async fn podio_hooks(&self) -> Result<HookListing, ManageHooksError> {
        let public = self.public_url();
        let hook_admin = &self.hook_admin;
        hook_admin
            .list(None, public.as_deref(), Timestamp::now())
            .await
    }

    /// Returns what is known about hooks without a call: their standings, and whether a URL is this
    /// tunnel's, if the link or the history knows its URL.
    pub async fn hook_facts(&self) -> Result<HookFacts, HistoryError> {
        let public = self.public_url();
        self.hook_admin
            .facts(public.as_deref(), Timestamp::now())
            .await
    }

    /// Returns the tunnel's public URL, if the link or the history knows it.
    pub async fn tunnel_url(&self) -> Result<Option<String>, HistoryError> {
        match self.public_url() {
            Some(url) => Ok(Some(url)),
            None => self.hook_admin.watched.tunnel_url().await,
        }
    }

    /// Checks whether Podio, or the configured replacement, can call this URL.
    ///
    /// # Errors
    /// Returns the reason for which it cannot.
    pub fn check_hook_url(&self, url: &str) -> Result<(), Uncallable> {
        HookUrls::new(&self.hook_admin.api, None).check(url)
    }

    /// Creates a hook for a person, which stays when the agent ends. Returns its id. Its
    /// `hook.verify`, which may arrive before this returns, shows whether it becomes active.
    ///
    /// # Errors
    /// Without credentials, for a URL that Podio would not call, and if Podio refuses.
    pub async fn create_hook(
        &self,
        place: PlaceRef,
        event: EventType,
        url: &str,
    ) -> Result<u64, ManageHooksError> {
        self.hook_admin.create(place, event, url).await
    }

    /// Asks Podio to send a hook another `hook.verify`.
    pub async fn request_hook_verification(&self, hook_id: u64) -> Result<(), ManageHooksError> {
        self.hook_admin.request_verification(hook_id).await
    }

    /// Deletes a hook, whoever created it. A hook that no longer exists counts as deleted.
    ///
    /// # Errors
    /// If Podio refuses, for example an app's token for a hook that a person created.
    pub async fn delete_hook(&self, hook_id: u64) -> Result<(), ManageHooksError> {
        self.hook_admin.delete(hook_id).await
    }

    fn public_url(&self) -> Option<String> {
        self.status.borrow().public_url.clone()
    }

    /// Returns whether each `hook.verify` is answered here.
    pub fn verifies(&self) -> bool {
        self.verifies
    }

    /// Returns the objects whose events are held because of a loop, in order.
    pub fn held_objects(&self) -> Vec<ObjectRef> {
        self.held.all()
    }

    /// Replaces the note on an event; `None` removes it. Only the
    /// first [`MAX_NOTE`](crate::history::MAX_NOTE) characters
    /// are stored. Does nothing for an event that was removed.
    pub async fn annotate(
        &self,
        position: Position,
        event: EventId,
        note: Option<&str>,
    ) -> Result<(), HistoryError> {
        let text = note.and_then(whole_note);
        let event = EventKey {
            position,
            id: event,
        };
        let note = Fact::Annotated { event, text };
        self.writer.add_facts(vec![note]).await
    }

    /// Deletes events on a person's request, with everything known about them; returns how many
    /// there were. Call [`AgentHandle::scrub`] once afterwards.
    pub async fn delete_events(&self, events: Vec<Position>) -> Result<u64, HistoryError> {
        self.writer.delete(events).await
    }

    /// Removes deleted content from everything on the
    /// disk: the database, its log, the full-text index.
    pub async fn scrub(&self) -> Result<(), HistoryError> {
        self.writer.scrub().await
    }

    /// Imports the new events of an archive, which are not delivered; see [`crate::import`].
    pub async fn import(&self, archive: ArchiveImport) -> Result<ImportReport, ImportError> {
        archive.into_history(&self.writer).await
    }

    /// Delivers an object's next events to the local service again; returns whether they were held.
    ///
    /// Events that were held stay held, and can be replayed. They are the echoes of a loop: each
    /// one that is delivered may start the loop again, and all are outdated by the newest.
    pub async fn release(&self, object: ObjectRef) -> Result<bool, HistoryError> {
        let note = Fact::ReleaseObject(object);
        self.writer.add_facts(vec![note]).await?;
        Ok(self.held.release(object))
    }
}
