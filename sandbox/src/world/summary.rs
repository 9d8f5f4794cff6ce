//! Describes items, tasks, status posts, files and apps by what they have in common, for
//! lists of several kinds, such as streams and search results.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::show::show_app_ref;
use super::{
    Attachment, RecordKind, RevisionAuthor, World, podio_time, show_org_ref, show_space_ref,
};

/// Short form of an object.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) on: Attachment,
    /// Object that determines its app and space: itself, or the one to which it is attached.
    pub(crate) place: Option<Attachment>,
    pub(crate) title: String,
    pub(crate) created_on: Timestamp,
    /// Time of the last change or comment.
    pub(crate) last_update_on: Timestamp,
    pub(crate) author: RevisionAuthor,
    /// Text that a search covers.
    pub(crate) text: String,
    data: Value,
}

impl World {
    /// Returns all objects that people can find, the last changed first. Private tasks are left
    /// out.
    pub(crate) fn summaries(&self) -> Vec<Summary> {
        let items = self.items.keys().map(|&id| Attachment::Item(id));
        let tasks = self.tasks.values().filter(|task| !task.private);
        let tasks = tasks.map(|task| Attachment::Task(task.id));
        let posts = self.records.iter();
        let posts = posts.filter(|(_, record)| record.kind == RecordKind::Status);
        let posts = posts.map(|(&id, _)| Attachment::Status(id));
        let files = self.files.values().filter(|file| file.on.is_some());
        let files = files.map(|file| Attachment::File(file.id));
        let apps = self.apps.keys().map(|&id| Attachment::App(id));
        let all = items.chain(tasks).chain(posts).chain(files).chain(apps);
        let mut summaries: Vec<_> = all.filter_map(|on| self.summary(on)).collect();
        summaries.sort_by_key(|summary| std::cmp::Reverse(summary.last_update_on));
        summaries
    }

    /// Returns the short form of an object, or `None` if it does not exist.
    pub(crate) fn summary(&self, on: Attachment) -> Option<Summary> {
        let mut summary = match on {
            Attachment::Item(id) => self.item_summary(on, id)?,
            Attachment::Task(id) => {
                let task = self.tasks.get(&id)?;
                Summary {
                    on,
                    place: task.on,
                    title: task.text.clone(),
                    created_on: task.created_on,
                    last_update_on: task.created_on,
                    author: task.author.clone(),
                    text: format!("{} {}", task.text, task.description),
                    data: self.show_task(task),
                }
            }
            Attachment::Status(id) => {
                let record = self.record(RecordKind::Status, id).ok()?;
                let value = record.body.get("value").and_then(Value::as_str);
                let value = value.unwrap_or_default().to_owned();
                let (created_on, author) = record
                    .created
                    .clone()
                    .unwrap_or_else(|| (self.now, self.first_author()));
                Summary {
                    on,
                    place: Some(on),
                    title: value.clone(),
                    created_on,
                    last_update_on: created_on,
                    author,
                    data: json!({ "status_id": id, "value": value }),
                    text: value,
                }
            }
            Attachment::File(id) => {
                let file = self.files.get(&id)?;
                Summary {
                    on,
                    place: file.on,
                    title: file.name.clone(),
                    created_on: file.created_on,
                    last_update_on: file.created_on,
                    author: file.author.clone(),
                    text: file.name.clone(),
                    data: self.show_file(file),
                }
            }
            Attachment::App(id) => {
                let app = self.apps.get(&id)?;
                Summary {
                    on,
                    place: Some(on),
                    title: app.name.clone(),
                    created_on: Timestamp::UNIX_EPOCH,
                    last_update_on: Timestamp::UNIX_EPOCH,
                    author: self.first_author(),
                    text: app.name.clone(),
                    data: show_app_ref(app),
                }
            }
            Attachment::Space(_) | Attachment::Comment(_) | Attachment::Conversation(_) => {
                return None;
            }
        };
        for comment in self.comments.values().filter(|comment| comment.on == on) {
            summary.last_update_on = summary.last_update_on.max(comment.created_on);
            summary.text.push(' ');
            summary.text.push_str(&comment.value);
        }
        Some(summary)
    }

    fn item_summary(&self, on: Attachment, id: u64) -> Option<Summary> {
        let item = self.items.get(&id)?;
        let app = self.apps.get(&item.app_id)?;
        let (first, last) = (item.revisions.first()?, item.revisions.last()?);
        let title = item.title(app);
        let words = app.fields.iter().map(|field| item.words(field));
        let mut words: Vec<_> = words.chain(item.tags.iter().cloned()).collect();
        words.push(title.clone());
        Some(Summary {
            on,
            place: Some(on),
            data: json!({ "item_id": id, "app_item_id": item.app_item_id, "title": title }),
            title,
            created_on: first.on,
            last_update_on: last.on,
            author: first.author.clone(),
            text: words.join(" "),
        })
    }
}

impl Summary {
    pub(crate) fn app(&self, world: &World) -> Option<u64> {
        world.app_of(self.place?)
    }

    pub(crate) fn space(&self, world: &World) -> Option<u64> {
        world.space_of(self.place?)
    }

    /// Returns the members that all lists of several kinds have.
    pub(crate) fn show(&self, world: &World) -> Map<String, Value> {
        let (kind, id) = self.on.to_pair();
        let app = self.app(world).and_then(|id| world.apps.get(&id));
        let space = self.space(world).and_then(|id| world.spaces.get(&id));
        let link = format!("https://podio.com/sandbox/{kind}/{id}");
        let members = [
            ("type", json!(kind)),
            ("id", json!(id)),
            ("title", json!(self.title)),
            ("link", json!(link)),
            ("created_on", json!(podio_time(self.created_on))),
            ("created_by", json!(self.author.by)),
            ("created_via", json!(self.author.via)),
            ("app", json!(app.map(show_app_ref))),
            ("space", json!(space.map(show_space_ref))),
            ("org", show_org_ref()),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        members.into_iter().collect()
    }

    /// Returns the form used in a stream.
    pub(crate) fn show_in_stream(&self, world: &World) -> Value {
        let mut shown = self.show(world);
        let comments = world.comments.values().filter(|c| c.on == self.on);
        let files = world.files.values().filter(|f| f.on == Some(self.on));
        let members = [
            ("data", self.data.clone()),
            ("last_update_on", json!(podio_time(self.last_update_on))),
            (
                "comments",
                comments
                    .map(|comment| world.show_comment(comment))
                    .collect(),
            ),
            ("files", files.map(|file| world.show_file(file)).collect()),
            ("rights", json!(["view", "comment", "add_file"])),
            ("subscribed", json!(false)),
        ];
        shown.extend(members.map(|(name, value)| (name.to_owned(), value)));
        shown.into()
    }
}
