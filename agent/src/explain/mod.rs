//! Explains events with Podio's data: title, app, who made the change through which client, and
//! what changed, field by field. Explanations are requested when needed and stored in the history,
//! and they say what Podio does not return.
//!
//! An explanation costs one to three calls of some 1,000 per hour (podio.md 4.3). So only the
//! newest events are explained without a request (`enrich`), data that can no longer change is
//! requested once, and near the limit nothing is requested.

mod enrich;
mod fetch;
mod people;
mod remembered;
mod values;

use podtap_podio::client::{self, ByLine, Client, RateLimit, Via};
use podtap_podio::wording::{Locale, Piece, word_diff};
use podtap_podio::{EventKind, EventType, PodioEvent, RefType};
use podtap_wire::EventId;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::history::unknown_event;
use crate::history::{Event, Fact, History, HistoryError, WatchReader, Writer};
use crate::own_client::OwnClient;
use crate::place::{Place, PlaceRef};
pub(crate) use enrich::Enricher;
pub use remembered::RememberedEvent;

/// Divisor of the hour's calls: this part is reserved for validating and managing hooks.
const RESERVED_SHARE: u64 = 10;

/// Maximum number of visible events: a screen of them.
const MAX_VISIBLE: usize = 256;

/// What Podio knows about an event. Untrusted text: escape it before showing it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// The object's title.
    pub title: Option<String>,
    /// URL of the object's page for people.
    pub link: Option<String>,
    /// Name of its app.
    pub app: Option<String>,
    /// Who made the change: a person or an app.
    pub who: Option<String>,
    /// The API client through which the change was made.
    pub via: Option<String>,
    /// Time of the change, `YYYY-MM-DD HH:MM:SS` in UTC, as Podio writes it.
    pub when: Option<String>,
    pub changes: Vec<ExplainedField>,
    /// Further notes, for example that the item is gone.
    pub notes: Vec<String>,
    /// `who` with Podio's number; `None` in explanations that an earlier version stored.
    #[serde(default)]
    pub made_by: Option<ByLine>,
    /// `via` with Podio's numbers; `None` in explanations that an earlier version stored.
    #[serde(default)]
    pub made_via: Option<Via>,
}

impl Explanation {
    /// Returns what is known besides the changes, each with its label, in display order.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("title", &self.title),
            ("app", &self.app),
            ("by", &self.who),
            ("through", &self.via),
            ("at", &self.when),
            ("link", &self.link),
        ]
        .into_iter()
        .filter_map(|(label, value)| Some((label, value.as_deref()?)))
    }
}

/// The values of one field before and after; empty if there was or is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainedField {
    /// The field's name for people.
    pub field: String,
    /// The value before.
    pub from: String,
    /// The value after.
    pub to: String,
}

impl ExplainedField {
    /// Returns whether it only repeats that the title was added or removed.
    pub fn repeats(&self, title: &str) -> bool {
        let (from, to) = (self.from.as_str(), self.to.as_str());
        !title.is_empty() && [(from, to), (to, from)].contains(&("", title))
    }

    /// Returns the differences, word by word, between two long texts with much in common; `None` if
    /// both are better shown whole.
    pub fn pieces(&self) -> Option<Vec<Piece>> {
        word_diff(&self.from, &self.to)
    }
}

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The history has no such event.
    #[error("{}", unknown_event(*.0))]
    UnknownEvent(EventId),
    /// It is not an event of Podio.
    #[error("this is not a Podio event")]
    NotPodio,
    /// There are no credentials.
    #[error("Podio credentials are required: set them, or run `podtap login`")]
    NoCredentials,
    /// The rest of the hour's calls is reserved for hooks.
    #[error(
        "{remaining} of {limit} calls are left this hour and are reserved for hooks: try again \
         later"
    )]
    RateLimitNear {
        /// Number of remaining calls.
        remaining: u64,
        /// Number of calls per hour.
        limit: u64,
    },
    /// Podio could not be asked.
    #[error(transparent)]
    Podio(#[from] client::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Explains events. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Explainer {
    pub(crate) history: History,
    pub(crate) watched: WatchReader,
    pub(crate) writer: Writer,
    pub(crate) client: Client,
    /// The locale of the reader, for numbers.
    pub(crate) locale: Locale,
    /// The events on the screen.
    pub(crate) visible: watch::Sender<Vec<EventId>>,
    pub(crate) own: OwnClient,
}

impl Explainer {
    /// Sets the visible events, in place of the previous ones.
    pub(crate) fn set_visible(&self, events: impl IntoIterator<Item = EventId>) {
        let events = events.into_iter().take(MAX_VISIBLE).collect();
        self.visible.send_replace(events);
    }

    pub(crate) async fn explain(&self, id: EventId) -> Result<Explanation, ExplainError> {
        let event = self.history.event(id).await?;
        let event = event.ok_or(ExplainError::UnknownEvent(id))?;
        let podio = event.podio.as_ref().ok_or(ExplainError::NotPodio)?;
        if let Some(kept) = self.recall(podio).await? {
            return Ok(kept);
        }
        self.may_ask()?;
        let mut found = fetch::fetch(&self.client, self.locale, podio).await?;
        if found.item.is_none() {
            self.remember(podio, &mut found.explanation).await?;
        }
        let text = serde_json::to_string(&found.explanation).ok();
        let kept = subject(podio).zip(text).filter(|_| found.is_whole);
        let mut notes: Vec<_> = kept
            .map(|(subject, explanation)| Fact::Explained {
                subject,
                explanation,
            })
            .into_iter()
            .collect();
        let item = found.item.take();
        notes.extend(item.map(|item| Fact::KnownItem {
            item_id: item.item_id,
            known: values::to_known_item(&item, self.locale),
        }));
        notes.extend(found.app.and_then(|app| place_fact(&event, podio, app)));
        if !notes.is_empty() {
            self.writer.add_facts(notes).await?;
        }
        Ok(found.explanation)
    }

    /// Returns the stored explanation of an event, without a call.
    pub(crate) async fn recall(
        &self,
        podio: &PodioEvent,
    ) -> Result<Option<Explanation>, HistoryError> {
        let Some(subject) = subject(podio) else {
            return Ok(None);
        };
        let kept = self.watched.explanation(subject).await?;
        // An explanation that another version stored in another form is requested again.
        Ok(kept.and_then(|recall| serde_json::from_str(&recall).ok()))
    }

    /// Adds what was last known about an item that Podio no longer returns.
    async fn remember(
        &self,
        podio: &PodioEvent,
        explanation: &mut Explanation,
    ) -> Result<(), HistoryError> {
        let Some(item_id) = podio.id("item_id") else {
            return Ok(());
        };
        let Some(known) = self.watched.known_item(item_id).await? else {
            return Ok(());
        };
        let then = known
            .revision
            .map_or_else(String::new, |revision| format!(", at revision {revision}"));
        explanation.notes.push(format!(
            "the title and values are from before it was deleted{then}"
        ));
        explanation.title = Some(known.title);
        explanation.link = known.link;
        explanation.app = known.app;
        if podio.kind == EventKind::Known(EventType::ItemDelete) {
            let values = known.values.into_iter();
            explanation
                .changes
                .extend(values.map(|(field, from)| ExplainedField {
                    field,
                    from,
                    to: String::new(),
                }));
        }
        Ok(())
    }

    fn may_ask(&self) -> Result<(), ExplainError> {
        if !self.client.has_credentials() {
            return Err(ExplainError::NoCredentials);
        }
        near_limit(&self.client).map_or(Ok(()), |rate| {
            Err(ExplainError::RateLimitNear {
                remaining: rate.remaining,
                limit: rate.limit,
            })
        })
    }
}

/// Returns the rate limit if so few calls are left that they are reserved for managing hooks.
pub(crate) fn near_limit(client: &Client) -> Option<RateLimit> {
    let rate = client.rate_limit()?;
    (rate.remaining < rate.limit / RESERVED_SHARE).then_some(rate)
}

/// Returns the key of a stored explanation: the object and
/// the change, if the explanation can no longer change.
fn subject(podio: &PodioEvent) -> Option<String> {
    let EventKind::Known(kind) = podio.kind else {
        return None;
    };
    let detail = match kind {
        EventType::ItemCreate | EventType::ItemUpdate | EventType::ItemDelete => {
            podio.revision()?
        }
        EventType::CommentCreate => podio.id("comment_id")?,
        _ => return None,
    };
    Some(subject_of(kind, podio.id("item_id")?, detail))
}

fn subject_of(kind: EventType, item_id: u64, detail: u64) -> String {
    format!("{kind} {item_id} {detail}")
}

/// Returns the place of the hook, which is the item's app unless the hook may be on a field.
fn place_fact(event: &Event, podio: &PodioEvent, app: Place) -> Option<Fact> {
    let may_be_on_field = podio.kind == EventKind::Known(EventType::ItemUpdate);
    let is_known = event.insight.place.as_ref().map(|place| place.at);
    let is_on_app = is_known.map_or(!may_be_on_field, |at| at.ref_type == RefType::App);
    is_on_app.then_some(Fact::Learned {
        hook_id: podio.hook_id?,
        place: app,
    })
}

/// Returns an app as a place, if Podio names it.
fn app_place(app: &client::AppRef) -> Option<Place> {
    Some(Place {
        at: PlaceRef::app(app.app_id?),
        name: Some(app.name.clone()).filter(|name| !name.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject_of(body: &str) -> Option<String> {
        subject(&podtap_podio::decode(None, body.as_bytes()).unwrap())
    }

    #[test]
    fn only_what_cannot_change_any_more_is_kept() {
        for (body, kept) in [
            (
                "type=item.update&item_id=4&item_revision_id=7",
                Some("item.update 4 7"),
            ),
            (
                "type=comment.create&item_id=4&comment_id=9",
                Some("comment.create 4 9"),
            ),
            ("type=item.update&item_id=4", None),
            ("type=task.update&task_id=4", None),
            ("type=item.moved&item_id=4&item_revision_id=7", None),
        ] {
            assert_eq!(subject_of(body).as_deref(), kept, "{body}");
        }
    }
}
