//! Stores objects as they were written: web forms, status posts and contacts. Also changes
//! members of spaces and tags of items, which are not records.

use jiff::Timestamp;
use podtap_podio::EventType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{EventPlace, RevisionAuthor, Switches, World, next};
use crate::answer::ErrorAnswer;

/// Kind of an object without behaviour of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RecordKind {
    Form,
    Status,
    Contact,
}

impl RecordKind {
    /// Returns the name of its id. Those of status posts and contacts are inferred (podio.md 1.1).
    pub(crate) const fn id_name(self) -> &'static str {
        match self {
            Self::Form => "form_id",
            Self::Status => "status_id",
            Self::Contact => "profile_id",
        }
    }

    /// Returns the events for creating, changing and deleting one.
    const fn events(self) -> [EventType; 3] {
        match self {
            Self::Form => [
                EventType::FormCreate,
                EventType::FormUpdate,
                EventType::FormDelete,
            ],
            Self::Status => [
                EventType::StatusCreate,
                EventType::StatusUpdate,
                EventType::StatusDelete,
            ],
            Self::Contact => [
                EventType::ContactCreate,
                EventType::ContactUpdate,
                EventType::ContactDelete,
            ],
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) kind: RecordKind,
    /// App of a form, or space of another record.
    pub(crate) owner: u64,
    pub(crate) body: Value,
    /// Time and author of its creation; missing in files of earlier versions.
    #[serde(default)]
    pub(crate) created: Option<(Timestamp, RevisionAuthor)>,
}

impl World {
    pub(crate) fn create_record(
        &mut self,
        kind: RecordKind,
        owner: u64,
        body: Value,
        author: &RevisionAuthor,
    ) -> Result<u64, ErrorAnswer> {
        let exists = match kind {
            RecordKind::Form => self.apps.contains_key(&owner),
            RecordKind::Status | RecordKind::Contact => self.spaces.contains_key(&owner),
        };
        if !exists {
            return Err(ErrorAnswer::not_found());
        }
        let id = next(&mut self.ids.record);
        let record = Record {
            kind,
            owner,
            body,
            created: Some((self.now, author.clone())),
        };
        self.records.insert(id, record);
        let [created, _, _] = kind.events();
        self.emit_record(created, kind, id, owner);
        Ok(id)
    }

    pub(crate) fn update_record(
        &mut self,
        kind: RecordKind,
        id: u64,
        body: Value,
    ) -> Result<(), ErrorAnswer> {
        let record = self
            .records
            .get_mut(&id)
            .filter(|record| record.kind == kind);
        let record = record.ok_or_else(ErrorAnswer::not_found)?;
        match (&mut record.body, body) {
            (Value::Object(kept), Value::Object(given)) => kept.extend(given),
            (kept, given) => *kept = given,
        }
        let owner = record.owner;
        let [_, updated, _] = kind.events();
        self.emit_record(updated, kind, id, owner);
        Ok(())
    }

    pub(crate) fn delete_record(&mut self, kind: RecordKind, id: u64) -> Result<(), ErrorAnswer> {
        self.record(kind, id)?;
        let record = self
            .records
            .remove(&id)
            .ok_or_else(ErrorAnswer::not_found)?;
        let [_, _, deleted] = kind.events();
        self.emit_record(deleted, kind, id, record.owner);
        Ok(())
    }

    pub(crate) fn record(&self, kind: RecordKind, id: u64) -> Result<&Record, ErrorAnswer> {
        let record = self.records.get(&id).filter(|record| record.kind == kind);
        record.ok_or_else(ErrorAnswer::not_found)
    }

    /// Adds or removes a member of a space.
    pub(crate) fn change_member(
        &mut self,
        event: EventType,
        space_id: u64,
        user_id: u64,
    ) -> Result<(), ErrorAnswer> {
        let space = self.spaces.get_mut(&space_id);
        let space = space.filter(|_| self.people.user(user_id).is_some());
        let members = &mut space.ok_or_else(ErrorAnswer::not_found)?.members;
        if event == EventType::MemberAdd {
            members.insert(user_id);
        } else {
            members.remove(&user_id);
        }
        let params = [("user_id", user_id.to_string())];
        self.emit(event, &EventPlace::space(space_id), &params);
        Ok(())
    }

    pub(crate) fn add_tags(
        &mut self,
        item_id: u64,
        tags: Vec<String>,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        for tag in tags {
            let item = self
                .items
                .get_mut(&item_id)
                .ok_or_else(ErrorAnswer::not_found)?;
            if !item.tags.contains(&tag) {
                item.tags.push(tag.clone());
            }
            self.emit_tag(EventType::TagAdd, item_id, tag, switches);
        }
        Ok(())
    }

    pub(crate) fn delete_tag(
        &mut self,
        item_id: u64,
        tag: String,
        switches: Switches,
    ) -> Result<(), ErrorAnswer> {
        let item = self
            .items
            .get_mut(&item_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        item.tags.retain(|kept| *kept != tag);
        self.emit_tag(EventType::TagDelete, item_id, tag, switches);
        Ok(())
    }

    fn emit_tag(&mut self, event: EventType, item_id: u64, tag: String, switches: Switches) {
        let params = [("item_id", item_id.to_string()), ("tag", tag)];
        self.emit_on_item(event, item_id, &params, switches);
    }

    fn emit_record(&mut self, event: EventType, kind: RecordKind, id: u64, owner: u64) {
        let own = (kind.id_name(), id.to_string());
        if kind == RecordKind::Form {
            let params = [own, ("app_id", owner.to_string())];
            self.emit(event, &EventPlace::app(owner), &params);
        } else {
            self.emit(event, &EventPlace::space(owner), &[own]);
        }
    }
}
