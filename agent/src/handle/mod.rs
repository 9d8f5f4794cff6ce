//! The only door to a running agent: commands in, status and changes out.

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
use crate::explain::{ExplainError, Explainer, Explanation, Remembered};
use crate::figures::Figures;
use crate::history::{
    Attempt, Event, EventKey, EventRow, Fact, History, HistoryError, Position, Writer, whole_note,
};
use crate::hooks::{HookAdmin, HookFacts, HookListing, HookReport, HookUrls, ManageHooksError};
use crate::import::{ArchiveImport, ImportError, ImportReport};
use crate::place::PlaceRef;
use crate::replay::{Replay, ReplayError, Replayer};
use crate::routes::{Course, Routes};
use crate::standing::HookStanding;
use crate::status::Status;
use crate::target::Target;
use crate::trigger::{Trigger, TriggerError, Triggered};

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
    /// Whether a `hook.verify` is answered.
    pub(crate) verifies: bool,
    pub(crate) figures: Figures,
    /// Where events go, of an agent that delivers.
    pub(crate) routes: Option<watch::Sender<Course>>,
}

impl AgentHandle {
    /// The history, for reading.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The status, now and as it changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// The same handle on a history whose agent runs in another process: `status` tells how that one
    /// is, and replays go where it delivers.
    #[must_use]
    pub fn with_status_of_another(mut self, status: watch::Receiver<Status>) -> Self {
        self.replayer.status = status.clone();
        self.status = status;
        self
    }

    /// Changes from now on. A change is a hint to read the history again, never the data: a
    /// lagged reader loses nothing.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Sends an event to a local service once more, at once, beside the lanes; returns when the
    /// attempt has ended and is in the history. Where it is for several targets and none is named, it
    /// goes to each, and what is returned is the attempt that came out worst. Works with and without
    /// a link.
    pub async fn replay(&self, replay: Replay) -> Result<Attempt, ReplayError> {
        self.replayer.replay(replay).await
    }

    /// Where an event goes by the routes as they are now, else where it went first.
    pub async fn targets_of(&self, event: &Event) -> Result<Vec<Target>, HistoryError> {
        self.replayer.targets_of(event).await
    }

    /// Has events delivered there from now on: those that wait, and those that come. What was held
    /// because there was nowhere to send it is delivered, too, where `with_held` says so; else it
    /// stays held, and can be replayed.
    ///
    /// Returns whether this agent delivers at all.
    pub fn set_routes(&self, routes: Routes, with_held: bool) -> bool {
        let Some(sender) = &self.routes else {
            return false;
        };
        let routes = Arc::new(routes);
        sender.send_modify(|course| {
            let with_held = with_held || course.with_held;
            *course = Course { routes, with_held };
        });
        true
    }

    /// Puts an event that nobody sent into the history, and sends it to a local service, at once,
    /// beside the lanes; returns when its attempt has ended and is in the history. Works with and
    /// without a link. Nothing is concluded from it about Podio.
    pub async fn trigger(&self, trigger: Trigger) -> Result<Triggered, TriggerError> {
        self.replayer.trigger(trigger).await
    }

    /// What Podio knows of an event: asked for now, or kept from the last time. Works with and
    /// without a link.
    pub async fn explain(&self, event: EventId) -> Result<Explanation, ExplainError> {
        self.explainer.explain(event).await
    }

    /// What is remembered of an event from when it was explained before; costs no call.
    pub async fn recall_explanation(
        &self,
        event: &Event,
    ) -> Result<Option<Explanation>, HistoryError> {
        match &event.podio {
            Some(podio) => self.explainer.recall(podio).await,
            None => Ok(None),
        }
    }

    /// What is remembered of these events from Podio's answers, for a list to show: titles, and
    /// which fields were changed. Costs no call; an event of which nothing is known is left out.
    pub async fn recall_rows(
        &self,
        rows: &[EventRow],
    ) -> Result<HashMap<EventId, Remembered>, HistoryError> {
        self.explainer.recall_rows(rows).await
    }

    /// Somebody looks at these events: those that came through a relay and are not explained yet are
    /// asked about, as far as a share of the hour's calls goes, until others are looked at. A
    /// [`Named`](crate::history::HistoryChange::Named) tells when more is known. Does nothing without
    /// credentials or without a link.
    pub fn ask_ahead(&self, events: impl IntoIterator<Item = EventId>) {
        self.explainer.set_visible(events);
    }

    /// For each hook that was called within a week, what Podio would have concluded had it called
    /// the local service itself. First attempts count, replays do not. Works with and without a
    /// link; the first time may take a second or two.
    pub async fn standings(&self) -> Result<Vec<HookStanding>, HistoryError> {
        self.hook_admin.standings.at(Timestamp::now()).await
    }

    /// The hooks that this agent makes, now and as they change; none where none are configured.
    pub fn hooks(&self) -> watch::Receiver<Vec<HookReport>> {
        self.hook_reports.subscribe()
    }

    /// The hooks of the places that are known, as Podio has them: of those that the configuration
    /// names, and of those that the history has learned, at most
    /// [`MAX_PLACES`](crate::hooks::MAX_PLACES). Costs one call a place of some 1,000 an hour
    /// (podio.md 4.3), so call it when a person asks. Works with and without a link.
    ///
    /// A place that cannot be listed is told in the answer.
    ///
    /// # Errors
    /// Without credentials, and where the rest of the hour's calls is kept for managing hooks.
    pub async fn podio_hooks(&self) -> Result<HookListing, ManageHooksError> {
        let public = self.public_url();
        let hook_admin = &self.hook_admin;
        hook_admin
            .list(None, public.as_deref(), Timestamp::now())
            .await
    }

    /// What is known here of hooks: their standings, and whether a URL is this tunnel's, as far as
    /// the link or the history knows that. Calls nobody.
    pub async fn hook_facts(&self) -> Result<HookFacts, HistoryError> {
        let public = self.public_url();
        self.hook_admin
            .facts(public.as_deref(), Timestamp::now())
            .await
    }

    /// The tunnel's public URL, as the link or the history knows it.
    pub async fn tunnel_url(&self) -> Result<Option<String>, HistoryError> {
        match self.public_url() {
            Some(url) => Ok(Some(url)),
            None => self.hook_admin.watched.tunnel_url().await,
        }
    }

    /// Whether Podio, or the stand-in that is set, can call this URL.
    ///
    /// # Errors
    /// With the reason for which it cannot.
    pub fn check_hook_url(&self, url: &str) -> Result<(), Uncallable> {
        HookUrls::new(&self.hook_admin.api, None).check(url)
    }

    /// Makes a hook for a person: it stays when the agent ends. Returns its id; whether it becomes
    /// active is for its `hook.verify` to show, which may come before this returns.
    ///
    /// # Errors
    /// Without credentials, for a URL that Podio would not call, and with Podio's refusal.
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

    /// Deletes a hook, whoever made it. One that is gone already counts as deleted.
    ///
    /// # Errors
    /// With Podio's refusal, such as where an app's token meets a hook that a person made.
    pub async fn delete_hook(&self, hook_id: u64) -> Result<(), ManageHooksError> {
        self.hook_admin.delete(hook_id).await
    }

    fn public_url(&self) -> Option<String> {
        self.status.borrow().public_url.clone()
    }

    /// Whether a `hook.verify` is answered here.
    pub fn verifies(&self) -> bool {
        self.verifies
    }

    /// Objects whose events are held because of a loop, in order.
    pub fn held_objects(&self) -> Vec<ObjectRef> {
        self.held.all()
    }

    /// Writes a note on an event, in place of the one that is there; none takes that away. Of a
    /// long one the first [`MAX_NOTE`](crate::history::MAX_NOTE) characters are kept. An event that is gone stays gone.
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

    /// Deletes events because a person wants them gone, with everything known of them; how many
    /// there were. [`AgentHandle::scrub`] afterwards, once.
    pub async fn delete_events(&self, events: Vec<Position>) -> Result<u64, HistoryError> {
        self.writer.delete(events).await
    }

    /// Removes what was deleted from everything that is on the disk: the database, its log, the
    /// index of words.
    pub async fn scrub(&self) -> Result<(), HistoryError> {
        self.writer.scrub().await
    }

    /// Takes over the events of an archive, as far as they are new; on record only, see
    /// [`crate::import`].
    pub async fn import(&self, archive: ArchiveImport) -> Result<ImportReport, ImportError> {
        archive.into_history(&self.writer).await
    }

    /// Lets an object's next events go to the local service again; whether it was held.
    ///
    /// What was held stays so, and can be replayed: these are the echoes of a loop, of which each
    /// that is delivered may begin the loop anew, and none says anything that the newest does not.
    pub async fn release(&self, object: ObjectRef) -> Result<bool, HistoryError> {
        let note = Fact::ReleaseObject(object);
        self.writer.add_facts(vec![note]).await?;
        Ok(self.held.release(object))
    }
}
