//! Stores and changes items and their revisions.

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_podio::client::RevisionKind;
use podtap_podio::wording::{self, Locale};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::value::{self, ItemValues};
use super::{
    Attachment, EventPlace, RevisionAuthor, StoredApp, StoredField, Switches, World, next,
};
use crate::answer::ErrorAnswer;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredItem {
    pub(crate) id: u64,
    pub(crate) app_id: u64,
    /// Number within the app.
    pub(crate) app_item_id: u64,
    pub(crate) external_id: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) values: ItemValues,
    /// Revisions, never empty. The index is the revision's number.
    pub(crate) revisions: Vec<StoredRevision>,
}

/// One revision: its author, its time, and all values after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredRevision {
    /// Podio's global number, which is not the one in events.
    pub(crate) global_id: u64,
    pub(crate) kind: RevisionKind,
    pub(crate) on: Timestamp,
    pub(crate) author: RevisionAuthor,
    pub(crate) values: ItemValues,
}

/// Changes to an item in a request.
#[derive(Debug, Default)]
pub(crate) struct ItemDraft {
    /// Values as the client wrote them.
    pub(crate) fields: Value,
    pub(crate) external_id: Option<String>,
    pub(crate) tags: Option<Vec<String>>,
    /// Files to attach.
    pub(crate) file_ids: Vec<u64>,
    /// Revision on which the change is based.
    pub(crate) revision: Option<u64>,
}

impl StoredItem {
    /// Returns the number of the newest revision.
    pub(crate) fn revision(&self) -> u64 {
        self.revisions.len().saturating_sub(1) as u64
    }

    pub(crate) fn change(&self, revision: u64) -> Result<&StoredRevision, ErrorAnswer> {
        let index = usize::try_from(revision).map_err(|_| ErrorAnswer::not_found())?;
        self.revisions.get(index).ok_or_else(ErrorAnswer::not_found)
    }

    /// Returns the first text, or the number within the app if there is none.
    pub(crate) fn title(&self, app: &StoredApp) -> String {
        app.fields
            .iter()
            .filter(|field| field.kind == "text")
            .find_map(|field| Some((field, self.values.get(&field.id)?)))
            .map_or_else(
                || format!("{} {}", app.item_name, self.app_item_id),
                |(field, values)| wording::values(field.wording(), values, Locale::NONE),
            )
    }

    /// Returns the time of the last change.
    pub(crate) fn edited_on(&self) -> Option<Timestamp> {
        self.revisions.last().map(|change| change.on)
    }

    /// Returns the value of a field as text.
    pub(crate) fn words(&self, field: &StoredField) -> String {
        let values = self.values.get(&field.id).map_or(&[][..], Vec::as_slice);
        wording::values(field.wording(), values, Locale::NONE)
    }

    /// Returns the parameters of an event about the item.
    fn params(&self, revision: u64) -> Vec<(&'static str, String)> {
        let mut params = vec![
            ("item_id", self.id.to_string()),
            ("item_revision_id", revision.to_string()),
        ];
        params.extend(self.external_id.clone().map(|id| ("external_id", id)));
        params
    }
}

impl World {
    pub(crate) fn create_item(
        &mut self,
        app_id: u64,
        draft: ItemDraft,
        author: &RevisionAuthor,
        switches: Switches,
    ) -> Result<u64, ErrorAnswer> {
        self.check_files(&draft.file_ids)?;
        let mut values = value::read(self.app(app_id)?, &draft.fields)?;
        values.retain(|_, values| !values.is_empty());
        self.complete_references(&mut values);
        let app = self
            .apps
            .get_mut(&app_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        let item_id = next(&mut self.ids.item);
        let mut item = StoredItem {
            id: item_id,
            app_id,
            app_item_id: next(&mut app.next_app_item_id),
            external_id: draft.external_id,
            tags: draft.tags.unwrap_or_default(),
            values,
            revisions: Vec::new(),
        };
        item.revisions.push(StoredRevision {
            global_id: next(&mut self.ids.revision),
            kind: RevisionKind::Creation,
            on: self.now,
            author: author.clone(),
            values: item.values.clone(),
        });
        let params = item.params(0);
        let place = EventPlace {
            fields: item.values.keys().copied().collect(),
            ..EventPlace::app(app_id)
        };
        self.items.insert(item_id, item);
        if switches.hook {
            self.emit(EventType::ItemCreate, &place, &params);
        }
        self.attach_all(&draft.file_ids, Attachment::Item(item_id), switches)?;
        Ok(item_id)
    }

    /// Changes the fields in the draft. This always creates a revision, even if nothing differs
    /// (guessed).
    pub(crate) fn update_item(
        &mut self,
        item_id: u64,
        draft: ItemDraft,
        author: &RevisionAuthor,
        switches: Switches,
    ) -> Result<u64, ErrorAnswer> {
        let item = self.item(item_id)?;
        if draft
            .revision
            .is_some_and(|built_on| built_on != item.revision())
        {
            let description = "The item has been updated since the given revision";
            return Err(ErrorAnswer::new(409, "conflict", description));
        }
        self.check_files(&draft.file_ids)?;
        let mut changed = value::read(self.app(item.app_id)?, &draft.fields)?;
        self.complete_references(&mut changed);
        let item = self
            .items
            .get_mut(&item_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        if draft.external_id.is_some() {
            item.external_id = draft.external_id;
        }
        if let Some(tags) = draft.tags {
            item.tags = tags;
        }
        let mut values = item.values.clone();
        for (field_id, new) in changed {
            if new.is_empty() {
                values.remove(&field_id);
            } else {
                values.insert(field_id, new);
            }
        }
        let revision = self.revise(item_id, values, author, switches)?;
        self.attach_all(&draft.file_ids, Attachment::Item(item_id), switches)?;
        Ok(revision)
    }

    /// Undoes everything after the revision before `revision`. Fires `item.update`, which
    /// cannot be switched off (podio.md 1.1).
    pub(crate) fn revert_item(
        &mut self,
        item_id: u64,
        revision: u64,
        author: &RevisionAuthor,
    ) -> Result<u64, ErrorAnswer> {
        let before = revision
            .checked_sub(1)
            .ok_or_else(|| ErrorAnswer::invalid("The first revision cannot be reverted"))?;
        let item = self.item(item_id)?;
        item.change(revision)?;
        let values = item.change(before)?.values.clone();
        self.revise(item_id, values, author, Switches::DEFAULT)
    }

    /// Deletes an item with everything attached to it. The event has the number of the
    /// deletion's revision (inferred, podio.md 1.1).
    pub(crate) fn delete_item(
        &mut self,
        item_id: u64,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        let item = self
            .items
            .remove(&item_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        self.detach_all(item_id);
        if switches.hook {
            let params = item.params(item.revision() + 1);
            let place = EventPlace {
                fields: item.values.keys().copied().collect(),
                ..EventPlace::app(item.app_id)
            };
            self.emit(EventType::ItemDelete, &place, &params);
        }
        Ok(())
    }

    fn revise(
        &mut self,
        item_id: u64,
        values: ItemValues,
        author: &RevisionAuthor,
        switches: Switches,
    ) -> Result<u64, ErrorAnswer> {
        let item = self
            .items
            .get_mut(&item_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        let fields = changed_fields(&item.values, &values);
        item.values.clone_from(&values);
        item.revisions.push(StoredRevision {
            global_id: next(&mut self.ids.revision),
            kind: RevisionKind::Update,
            on: self.now,
            author: author.clone(),
            values,
        });
        let revision = item.revision();
        let params = item.params(revision);
        let place = EventPlace {
            fields,
            ..EventPlace::app(item.app_id)
        };
        if switches.hook {
            self.emit(EventType::ItemUpdate, &place, &params);
        }
        Ok(revision)
    }

    /// Adds the names of the items and links to which a value refers by id alone, as Podio does.
    fn complete_references(&self, values: &mut ItemValues) {
        for value in values.values_mut().flatten() {
            let embed = value.get("embed").and_then(Value::as_u64);
            if let Some(embed) = embed.and_then(|id| self.embeds.get(&id)) {
                *value = json!({ "embed": embed.show(), "file": null });
            }
            let Some(target) = value.pointer("/value/item_id").and_then(Value::as_u64) else {
                continue;
            };
            let item = self.items.get(&target);
            if let Some((item, app)) = item.and_then(|i| Some((i, self.apps.get(&i.app_id)?))) {
                *value = json!({ "value": { "item_id": target, "title": item.title(app) } });
            }
        }
    }
}

/// Returns the fields whose values differ.
pub(crate) fn changed_fields(from: &ItemValues, to: &ItemValues) -> Vec<u64> {
    let mut fields: Vec<_> = from.keys().chain(to.keys()).copied().collect();
    fields.sort_unstable();
    fields.dedup();
    fields.retain(|field| from.get(field) != to.get(field));
    fields
}
