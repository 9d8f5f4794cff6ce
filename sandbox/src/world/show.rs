//! Converts objects to Podio's answers (podio.md 5.2). They have the main members, and the
//! secrets that real answers contain, so that clients prove that they omit them.

use serde_json::{Value, json};

use super::item::{StoredRevision, changed_fields};
use super::value::ItemValues;
use super::{
    Attachment, StoredApp, StoredComment, StoredField, StoredFile, StoredHook, StoredItem,
    StoredSpace, StoredTask, World, podio_time,
};
use crate::answer::ErrorAnswer;

/// Id of the single organization, which contains all spaces.
pub(crate) const ORG: u64 = 247_026;

impl World {
    pub(crate) fn show_hook(&self, hook: &StoredHook) -> Value {
        json!({
            "hook_id": hook.id,
            "status": if self.shows_active(hook) { "active" } else { "inactive" },
            "type": hook.event.as_str(),
            "url": hook.url,
            "created_on": podio_time(hook.created_on),
            "created_by": hook.author.by,
            "created_via": hook.author.via,
        })
    }

    pub(crate) fn show_item(&self, item: &StoredItem) -> Result<Value, ErrorAnswer> {
        let app = self.app(item.app_id)?;
        let newest = item.change(item.revision())?;
        let first = item.change(0)?;
        let on = Attachment::Item(item.id);
        let files = self.show_files(on);
        let comments = self.comments.values().filter(|comment| comment.on == on);
        let comments: Vec<_> = comments.map(|comment| self.show_comment(comment)).collect();
        Ok(json!({
            "item_id": item.id,
            "app_item_id": item.app_item_id,
            "app_item_id_formatted": item.app_item_id.to_string(),
            "external_id": item.external_id,
            "title": item.title(app),
            "link": format!("https://podio.com/sandbox/items/{}", item.id),
            "app": show_app_ref(app),
            "created_on": podio_time(first.on),
            "created_by": first.author.by,
            "created_via": first.author.via,
            "last_event_on": podio_time(newest.on),
            "initial_revision": show_change(0, first),
            "current_revision": show_change(item.revision(), newest),
            "revision": item.revision(),
            "fields": show_values(app, &item.values),
            "files": files,
            "comment_count": comments.len(),
            "comments": comments,
            "tags": item.tags,
            "rights": ["view", "update", "delete", "comment", "add_file"],
            "push": {
                "channel": format!("/item/{}", item.id),
                "signature": "sandbox-signature",
                "timestamp": self.now.as_second(),
                "expires_in": 21_600,
            },
        }))
    }

    pub(crate) fn show_difference(
        &self,
        item: &StoredItem,
        from: u64,
        to: u64,
    ) -> Result<Value, ErrorAnswer> {
        let app = self.app(item.app_id)?;
        let (from, to) = (&item.change(from)?.values, &item.change(to)?.values);
        let values = |values: &ItemValues, field: &StoredField| {
            values.get(&field.id).cloned().unwrap_or_default()
        };
        let changed = changed_fields(from, to);
        let fields = app.fields.iter().filter(|f| changed.contains(&f.id));
        let differences = fields.map(|field| {
            json!({
                "field_id": field.id,
                "external_id": field.external_id,
                "label": field.label,
                "type": field.kind,
                "from": values(from, field),
                "to": values(to, field),
            })
        });
        Ok(differences.collect())
    }
}

pub(crate) fn show_app(app: &StoredApp) -> Value {
    let fields: Vec<_> = app.fields.iter().map(show_field).collect();
    json!({
        "app_id": app.id,
        "status": if app.active { "active" } else { "deactivated" },
        "space_id": app.space_id,
        "current_revision": app.revision,
        "link": format!("https://podio.com/sandbox/apps/{}", app.id),
        "url_label": app.name.to_lowercase(),
        "token": app.token,
        "mailbox": format!("sandbox-{}", app.id),
        "rights": ["view", "add_item", "add_hook", "update"],
        "config": {
            "name": app.name,
            "item_name": app.item_name,
            "type": "standard",
            "silent_creates": false,
            "silent_edits": false,
            "disable_notifications": false,
        },
        "fields": fields,
    })
}

pub(crate) fn show_change(revision: u64, change: &StoredRevision) -> Value {
    json!({
        "item_revision_id": change.global_id,
        "revision": revision,
        "type": change.kind,
        "created_on": podio_time(change.on),
        "created_by": change.author.by,
        "created_via": change.author.via,
    })
}

pub(crate) fn show_field(field: &StoredField) -> Value {
    json!({
        "field_id": field.id,
        "external_id": field.external_id,
        "type": field.kind,
        "label": field.label,
        "status": "active",
        "config": show_config(field),
    })
}

fn show_config(field: &StoredField) -> Value {
    json!({ "label": field.label, "settings": field.settings, "mapping": null })
}

pub(crate) fn show_values(app: &StoredApp, values: &ItemValues) -> Value {
    let fields = app.fields.iter().filter_map(|field| {
        let values = values.get(&field.id)?;
        let mut shown = show_field(field);
        if let Value::Object(members) = &mut shown {
            members.insert("values".to_owned(), values.clone().into());
        }
        Some(shown)
    });
    fields.collect()
}

impl World {
    pub(crate) fn show_comment(&self, comment: &StoredComment) -> Value {
        json!({
            "comment_id": comment.id,
            "value": comment.value,
            "rich_value": comment.value,
            "external_id": comment.external_id,
            "created_on": podio_time(comment.created_on),
            "created_by": comment.author.by,
            "created_via": comment.author.via,
            "ref": show_attachment(comment.on),
            "files": self.show_files(Attachment::Comment(comment.id)),
            "is_liked": false,
            "like_count": 0,
        })
    }

    pub(crate) fn show_task(&self, task: &StoredTask) -> Value {
        let due_on = task.due_date.as_ref().map(|day| {
            let time = task.due_time.as_deref().unwrap_or("00:00:00");
            format!("{day} {time}")
        });
        let on = Attachment::Task(task.id);
        let comments = self.comments.values().filter(|comment| comment.on == on);
        let comments: Vec<_> = comments.map(|comment| self.show_comment(comment)).collect();
        let labels = task.labels.iter().zip(1_u64..);
        let labels: Vec<_> = labels
            .map(|(text, id)| json!({ "label_id": id, "text": text, "color": "E9E9E9" }))
            .collect();
        json!({
            "task_id": task.id,
            "text": task.text,
            "description": task.description,
            "status": if task.completed.is_some() { "completed" } else { "active" },
            "private": task.private,
            "due_date": task.due_date,
            "due_time": task.due_time,
            "due_on": due_on,
            "link": format!("https://podio.com/tasks/{}", task.id),
            "responsible": { "user_id": task.responsible.id, "name": task.responsible.name },
            "created_on": podio_time(task.created_on),
            "created_by": task.author.by,
            "created_via": task.author.via,
            "completed_on": task.completed.as_ref().map(|(on, _)| podio_time(*on)),
            "completed_by": task.completed.as_ref().map(|(_, by)| by),
            "ref": task.on.map(show_attachment),
            "labels": labels,
            "files": self.show_files(on),
            "comments": comments,
            "reminder": null,
            "recurrence": null,
            "external_id": null,
        })
    }

    /// Returns the files that are attached to an object.
    fn show_files(&self, on: Attachment) -> Vec<Value> {
        let files = self.files.values().filter(|file| file.on == Some(on));
        files.map(|file| self.show_file(file)).collect()
    }

    pub(crate) fn show_file(&self, file: &StoredFile) -> Value {
        // Podio has another host for files; in the sandbox, it is the API.
        let link = format!("{}/file/{}/raw", self.base_url, file.id);
        json!({
            "file_id": file.id,
            "name": file.name,
            "description": null,
            "mimetype": file.mimetype,
            "size": file.size,
            "hosted_by": "podio",
            "link": link,
            "perma_link": link,
            "context": file.on.map(show_attachment),
            "created_on": podio_time(file.created_on),
            "created_by": file.author.by,
            "created_via": file.author.via,
            "rights": ["view", "delete"],
            "replaces": [],
        })
    }
}

pub(crate) fn show_space(space: &StoredSpace) -> Value {
    json!({
        "space_id": space.id,
        "org_id": ORG,
        "name": space.name,
        "url_label": space.name.to_lowercase(),
        "role": "admin",
        "url": space.url(),
        "rights": ["view", "add_app", "add_hook"],
    })
}

/// Returns a space as other objects refer to it.
pub(crate) fn show_space_ref(space: &StoredSpace) -> Value {
    json!({
        "space_id": space.id,
        "name": space.name,
        "url": space.url(),
    })
}

/// Returns the organization as other objects refer to it.
pub(crate) fn show_org_ref() -> Value {
    json!({ "org_id": ORG, "name": "Sandbox", "url": "https://podio.com/sandbox" })
}

pub(crate) fn show_app_ref(app: &StoredApp) -> Value {
    json!({
        "app_id": app.id,
        "space_id": app.space_id,
        "name": app.name,
        "item_name": app.item_name,
        "config": { "name": app.name, "item_name": app.item_name },
    })
}

fn show_attachment(on: Attachment) -> Value {
    let (kind, id) = on.to_pair();
    json!({ "type": kind, "id": id })
}
