//! What the sandbox keeps as it came, only to make its events happen: web forms, status posts,
//! contacts, members, and the tags of items.

use podtap_podio::EventType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Place, Switches, World, next};
use crate::answer::Refused;

/// A kind of object without behaviour of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ThingKind {
    Form,
    Status,
    Contact,
}

impl ThingKind {
    /// The name of its id. Those of status posts and contacts are inferred (podio.md 1.1).
    pub(crate) const fn id_name(self) -> &'static str {
        match self {
            Self::Form => "form_id",
            Self::Status => "status_id",
            Self::Contact => "profile_id",
        }
    }

    /// What happens when one is created, changed and deleted.
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
pub(crate) struct Thing {
    pub(crate) kind: ThingKind,
    /// Of a form its app's, of the others their space's.
    pub(crate) owner: u64,
    pub(crate) body: Value,
}

impl World {
    pub(crate) fn create_thing(
        &mut self,
        kind: ThingKind,
        owner: u64,
        body: Value,
    ) -> Result<u64, Refused> {
        let exists = match kind {
            ThingKind::Form => self.apps.contains_key(&owner),
            ThingKind::Status | ThingKind::Contact => self.spaces.contains_key(&owner),
        };
        if !exists {
            return Err(Refused::not_found());
        }
        let id = next(&mut self.ids.thing);
        self.things.insert(id, Thing { kind, owner, body });
        let [created, _, _] = kind.events();
        self.emit_thing(created, kind, id, owner);
        Ok(id)
    }

    pub(crate) fn update_thing(
        &mut self,
        kind: ThingKind,
        id: u64,
        body: Value,
    ) -> Result<(), Refused> {
        let thing = self.things.get_mut(&id).filter(|thing| thing.kind == kind);
        let thing = thing.ok_or_else(Refused::not_found)?;
        match (&mut thing.body, body) {
            (Value::Object(kept), Value::Object(given)) => kept.extend(given),
            (kept, given) => *kept = given,
        }
        let owner = thing.owner;
        let [_, updated, _] = kind.events();
        self.emit_thing(updated, kind, id, owner);
        Ok(())
    }

    pub(crate) fn delete_thing(&mut self, kind: ThingKind, id: u64) -> Result<(), Refused> {
        self.thing(kind, id)?;
        let thing = self.things.remove(&id).ok_or_else(Refused::not_found)?;
        let [_, _, deleted] = kind.events();
        self.emit_thing(deleted, kind, id, thing.owner);
        Ok(())
    }

    pub(crate) fn thing(&self, kind: ThingKind, id: u64) -> Result<&Thing, Refused> {
        let thing = self.things.get(&id).filter(|thing| thing.kind == kind);
        thing.ok_or_else(Refused::not_found)
    }

    /// Adds or removes a member of a space.
    pub(crate) fn change_member(
        &mut self,
        event: EventType,
        space_id: u64,
        user_id: u64,
    ) -> Result<(), Refused> {
        let space = self.spaces.get_mut(&space_id);
        let space = space.filter(|_| self.people.user(user_id).is_some());
        let members = &mut space.ok_or_else(Refused::not_found)?.members;
        if event == EventType::MemberAdd {
            members.insert(user_id);
        } else {
            members.remove(&user_id);
        }
        let params = [("user_id", user_id.to_string())];
        self.emit(event, &Place::space(space_id), &params);
        Ok(())
    }

    pub(crate) fn add_tags(
        &mut self,
        item_id: u64,
        tags: Vec<String>,
        switches: Switches,
    ) -> Result<(), Refused> {
        for tag in tags {
            let item = self
                .items
                .get_mut(&item_id)
                .ok_or_else(Refused::not_found)?;
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
    ) -> Result<(), Refused> {
        let item = self
            .items
            .get_mut(&item_id)
            .ok_or_else(Refused::not_found)?;
        item.tags.retain(|kept| *kept != tag);
        self.emit_tag(EventType::TagDelete, item_id, tag, switches);
        Ok(())
    }

    fn emit_tag(&mut self, event: EventType, item_id: u64, tag: String, switches: Switches) {
        let params = [("item_id", item_id.to_string()), ("tag", tag)];
        self.emit_on_item(event, item_id, &params, switches);
    }

    fn emit_thing(&mut self, event: EventType, kind: ThingKind, id: u64, owner: u64) {
        let own = (kind.id_name(), id.to_string());
        if kind == ThingKind::Form {
            let params = [own, ("app_id", owner.to_string())];
            self.emit(event, &Place::app(owner), &params);
        } else {
            self.emit(event, &Place::space(owner), &[own]);
        }
    }
}
