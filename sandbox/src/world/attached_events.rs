//! Fires the events of objects that are attached to items and spaces, with their hooks and
//! parameters.

use podtap_podio::EventType;

use super::{Attachment, EventPlace, Switches, World};

impl World {
    /// Returns the space whose hooks fire for a task on this object. A task without an object
    /// is in no space.
    pub(crate) fn space_of(&self, on: Attachment) -> Option<u64> {
        match on {
            Attachment::Space(space_id) => Some(space_id),
            Attachment::Item(item_id) => {
                let app_id = self.items.get(&item_id)?.app_id;
                Some(self.apps.get(&app_id)?.space_id)
            }
            Attachment::App(app_id) => Some(self.apps.get(&app_id)?.space_id),
            Attachment::Status(id) => Some(self.records.get(&id)?.owner),
            Attachment::File(id) => self.space_of(self.files.get(&id)?.on?),
            Attachment::Comment(id) => self.space_of(self.comments.get(&id)?.on),
            Attachment::Task(_) | Attachment::Conversation(_) => None,
        }
    }

    /// Returns the app to which something is attached, directly or through one of its items.
    pub(crate) fn app_of(&self, on: Attachment) -> Option<u64> {
        match on {
            Attachment::App(app_id) => Some(app_id),
            Attachment::Item(item_id) => Some(self.items.get(&item_id)?.app_id),
            Attachment::Comment(id) => self.app_of(self.comments.get(&id)?.on),
            _ => None,
        }
    }

    pub(super) fn emit_comment(
        &mut self,
        event: EventType,
        comment_id: u64,
        on: Attachment,
        switches: Switches,
    ) {
        let Attachment::Item(item_id) = on else {
            return;
        };
        let params = [
            ("item_id", item_id.to_string()),
            ("comment_id", comment_id.to_string()),
        ];
        self.emit_on_item(event, item_id, &params, switches);
    }

    pub(super) fn emit_files(
        &mut self,
        action: &str,
        file_ids: &[u64],
        on: Attachment,
        switches: Switches,
    ) {
        let Attachment::Item(item_id) = on else {
            return;
        };
        let file_ids: Vec<_> = file_ids.iter().map(u64::to_string).collect();
        let params = [
            ("item_id", item_id.to_string()),
            ("action_type", action.to_owned()),
            ("file_ids", file_ids.join(",")),
        ];
        self.emit_on_item(EventType::FileChange, item_id, &params, switches);
    }

    pub(super) fn emit_on_item(
        &mut self,
        event: EventType,
        item_id: u64,
        params: &[(&str, String)],
        switches: Switches,
    ) {
        if let Some(item) = self.items.get(&item_id).filter(|_| switches.hook) {
            let place = EventPlace::app(item.app_id);
            self.emit(event, &place, params);
        }
    }

    pub(super) fn emit_task(
        &mut self,
        event: EventType,
        task_id: u64,
        on: Option<Attachment>,
        switches: Switches,
    ) {
        let space = on.and_then(|on| self.space_of(on));
        if let Some(space_id) = space.filter(|_| switches.hook) {
            let params = [("task_id", task_id.to_string())];
            self.emit(event, &EventPlace::space(space_id), &params);
        }
    }
}
