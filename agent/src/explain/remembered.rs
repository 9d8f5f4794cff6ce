//! Reads Podio's stored answers for many events at a time, for lists. No call is made.

use std::collections::HashMap;

use podtap_podio::{EventType, ObjectKind};
use podtap_wire::EventId;

use super::{ExplainedField, Explainer, Explanation, subject_of};
use crate::history::{EventRow, HistoryError, Maker};

/// What a list shows about an event besides its own
/// content. Untrusted text: escape it before showing it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RememberedEvent {
    /// The object's title.
    pub title: Option<String>,
    /// Name of its app.
    pub app: Option<String>,
    /// Who made the change.
    pub who: Option<String>,
    /// The API client through which the change was made.
    pub via: Option<String>,
    /// Whether it is the API client or app whose credentials are used here; `None` if Podio's
    /// numbers are not stored.
    pub own: Option<bool>,
    pub changes: Vec<ExplainedField>,
}

impl Explainer {
    /// Returns what is stored for these rows; rows about which nothing is known are omitted.
    pub(crate) async fn recall_rows(
        &self,
        rows: &[EventRow],
    ) -> Result<HashMap<EventId, RememberedEvent>, HistoryError> {
        let subjects: HashMap<EventId, String> = rows
            .iter()
            .filter_map(|row| Some((row.id, subject(row)?)))
            .collect();
        let told = self
            .watched
            .explanations(subjects.values().cloned().collect())
            .await?;
        let items: Vec<u64> = rows.iter().filter_map(item).collect();
        let items = self.watched.known_items(items).await?;
        let mut found = HashMap::new();
        for row in rows {
            let told = subjects.get(&row.id).and_then(|subject| told.get(subject));
            let told: Option<Explanation> = told.and_then(|told| serde_json::from_str(told).ok());
            let item = item(row).and_then(|item_id| items.get(&item_id));
            if told.is_none() && item.is_none() {
                continue;
            }
            let told = told.unwrap_or_default();
            let (by, via) = (told.made_by.as_ref(), told.made_via.as_ref());
            let is_known = by.is_some() || via.is_some();
            let own = is_known.then(|| matches!(self.own.judge(by, via), Maker::Own { .. }));
            found.insert(
                row.id,
                RememberedEvent {
                    title: told.title.or_else(|| item.map(|item| item.title.clone())),
                    app: told.app.or_else(|| item.and_then(|item| item.app.clone())),
                    who: told.who,
                    changes: told.changes,
                    via: told.via,
                    own,
                },
            );
        }
        Ok(found)
    }
}

fn item(row: &EventRow) -> Option<u64> {
    let object = row
        .object
        .filter(|object| object.kind == ObjectKind::Item)?;
    Some(object.id)
}

/// Returns the key of the event's stored explanation, if the row determines it.
fn subject(row: &EventRow) -> Option<String> {
    let kind: EventType = row.event_type.as_deref()?.parse().ok()?;
    let is_change = matches!(
        kind,
        EventType::ItemCreate | EventType::ItemUpdate | EventType::ItemDelete
    );
    is_change.then(|| Some(subject_of(kind, item(row)?, row.revision?)))?
}
