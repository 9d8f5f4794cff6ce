//! Asks Podio about one event: which calls to make, and how to read the answers.
//!
//! An object that is gone or not accessible is not an error but part of the explanation: after
//! `item.delete` an item "can no longer be retrieved" (podio.md 5.1), and under app authentication
//! Podio answers 403 for an object that does not exist (podio.md 4.2).

use podtap_podio::client::{ByLine, Client, Error, Item, Revision, Via};
use podtap_podio::wording::Locale;
use podtap_podio::{EventKind, EventType, PodioEvent};

use super::values::{changes, first_values};
use super::{ExplainedField, Explanation, app_place};
use crate::place::Place;

/// Maximum number of files that are looked up per event.
const MAX_FILES: usize = 5;

#[derive(Debug, Default)]
pub(super) struct PodioFacts {
    pub(super) explanation: Explanation,
    /// Whether nothing is missing that a later request might return.
    pub(super) is_whole: bool,
    /// The app, if the answer names it.
    pub(super) app: Option<Place>,
    /// The item as it is now, if Podio still has it.
    pub(super) item: Option<Item>,
}

pub(super) async fn fetch(
    client: &Client,
    locale: Locale,
    event: &PodioEvent,
) -> Result<PodioFacts, Error> {
    use EventType as E;
    let mut found = PodioFacts {
        is_whole: true,
        ..PodioFacts::default()
    };
    let EventKind::Known(kind) = event.kind else {
        found.note("this build does not know events of this type");
        return Ok(found);
    };
    match kind {
        E::ItemCreate | E::ItemUpdate | E::ItemDelete => {
            found.item(client, locale, event).await?;
        }
        E::CommentCreate => found.comment(client, event).await?,
        E::CommentDelete => {
            found.note("a deleted comment can no longer be read");
            found.title_of_item(client, event).await?;
        }
        E::FileChange => found.files(client, event).await?,
        E::TagAdd | E::TagDelete => found.tag(client, event).await?,
        E::TaskCreate | E::TaskUpdate => found.task(client, event).await?,
        E::AppCreate | E::AppUpdate | E::FormCreate | E::FormUpdate | E::FormDelete => {
            found.app(client, event).await?;
        }
        E::AppDelete | E::TaskDelete | E::StatusDelete | E::ContactDelete => {
            found.note("it was deleted and can no longer be read");
        }
        E::HookVerify => found.note(E::HookVerify.spec().summary),
        E::MemberAdd | E::MemberRemove => found.member(client, event).await?,
        E::ContactCreate | E::ContactUpdate => found.contact(client, event).await?,
        E::StatusCreate | E::StatusUpdate => found.status(client, event).await?,
    }
    Ok(found)
}

impl PodioFacts {
    async fn item(
        &mut self,
        client: &Client,
        locale: Locale,
        event: &PodioEvent,
    ) -> Result<(), Error> {
        let Some(item_id) = event.id("item_id") else {
            self.note("the event does not name an item");
            return Ok(());
        };
        let Some(revision) = event.revision() else {
            self.note("the event does not name a revision: this is the item as it is now");
            return self.title_of_item(client, event).await;
        };
        let (item, made) = tokio::join!(
            client.item(item_id),
            client.item_revision(item_id, revision)
        );
        let item = self.answer_or_note(item, "the item")?;
        if let Some(made) = self.answer_or_note(made, "the revision")? {
            self.by(made);
        }
        // The first revision had other values in the fields that later revisions changed.
        let newest = item.as_ref().and_then(|item| item.revision);
        let between = match revision.checked_sub(1) {
            Some(before) => Some((before, revision)),
            None => newest
                .filter(|newest| *newest > 0)
                .map(|newest| (0, newest)),
        };
        let difference = match between {
            Some((from, to)) => {
                let difference = client.item_difference(item_id, from, to).await;
                self.answer_or_note(difference, "the difference")?
            }
            None => Some(Vec::new()),
        };
        if let Some(difference) = difference {
            let told = match (revision, &item) {
                (0, Some(item)) => first_values(item, &difference, locale),
                (0, None) => Vec::new(),
                _ => changes(&difference, item.as_ref(), locale),
            };
            for change in told {
                match change {
                    Ok(change) => self.explanation.changes.push(change),
                    Err(unchanged) => self.note(unchanged),
                }
            }
        }
        if let Some(item) = item {
            self.about(item);
        }
        Ok(())
    }

    /// Adds the tag that was added or removed, if the event
    /// names it; whether Podio's events do is unknown.
    async fn tag(&mut self, client: &Client, event: &PodioEvent) -> Result<(), Error> {
        if let Some(tag) = event.param("tag").map(str::to_owned) {
            let came = event.kind == EventKind::Known(EventType::TagAdd);
            let (from, to) = if came {
                (String::new(), tag)
            } else {
                (tag, String::new())
            };
            let field = "tag".to_owned();
            self.explanation
                .changes
                .push(ExplainedField { field, from, to });
            return self.title_of_item(client, event).await;
        }
        let item = match event.id("item_id") {
            Some(item_id) => self.answer_or_note(client.item(item_id).await, "the item")?,
            None => None,
        };
        if let Some(item) = item {
            let tags = if item.tags.is_empty() {
                "none".to_owned()
            } else {
                item.tags.join(", ")
            };
            self.note(format!(
                "the event does not name the tag; the item has now: {tags}"
            ));
            self.about(item);
        }
        Ok(())
    }

    async fn comment(&mut self, client: &Client, event: &PodioEvent) -> Result<(), Error> {
        if let Some(comment_id) = event.id("comment_id") {
            let comment = client.comment(comment_id).await;
            if let Some(comment) = self.answer_or_note(comment, "the comment")? {
                self.set_author(comment.created_by, comment.created_via);
                self.explanation.when = comment.created_on;
                self.explanation.changes.push(ExplainedField {
                    field: "comment".to_owned(),
                    from: String::new(),
                    to: comment.value,
                });
            }
        }
        self.title_of_item(client, event).await
    }

    async fn files(&mut self, client: &Client, event: &PodioEvent) -> Result<(), Error> {
        let is_deleted = event.param("action_type") == Some("file_deleted");
        let listed = event.param("file_ids").unwrap_or_default().split(',');
        let ids: Vec<u64> = listed.filter_map(|id| id.trim().parse().ok()).collect();
        if is_deleted {
            self.note("a deleted file can no longer be read");
        }
        if ids.len() > MAX_FILES {
            self.note(format!(
                "{} files; the first {MAX_FILES} are looked up",
                ids.len()
            ));
        }
        for file_id in ids.into_iter().take(MAX_FILES).filter(|_| !is_deleted) {
            let file = client.file(file_id).await;
            if let Some(file) = self.answer_or_note(file, "the file")? {
                if self.explanation.made_by.is_none() {
                    self.set_author(file.created_by, file.created_via);
                }
                self.explanation.changes.push(ExplainedField {
                    field: "file".to_owned(),
                    from: String::new(),
                    to: file.name,
                });
            }
        }
        self.title_of_item(client, event).await
    }

    async fn task(&mut self, client: &Client, event: &PodioEvent) -> Result<(), Error> {
        let Some(task_id) = event.id("task_id") else {
            return Ok(());
        };
        let task = client.task(task_id).await;
        if let Some(task) = self.answer_or_note(task, "the task")? {
            self.explanation.title = non_empty(task.text);
            self.explanation.link = task.link;
            let created = event.kind == EventKind::Known(EventType::TaskCreate);
            self.set_author(task.created_by.filter(|_| created), None);
            let facts = [
                ("status", task.status),
                ("due", task.due_date),
                ("responsible", task.responsible.map(|person| person.name)),
            ];
            for (fact, value) in facts {
                if let Some(value) = value {
                    self.note(format!("{fact}: {value}"));
                }
            }
            self.note("tasks have no revisions: this is the task as it is now");
        }
        Ok(())
    }

    async fn app(&mut self, client: &Client, event: &PodioEvent) -> Result<(), Error> {
        if let Some(app_id) = event.id("app_id") {
            let app = client.app(app_id).await;
            if let Some(app) = self.answer_or_note(app, "the app")? {
                self.explanation.title = non_empty(app.config.name);
                self.explanation.app.clone_from(&self.explanation.title);
                self.explanation.link = app.link;
            }
        }
        Ok(())
    }

    async fn title_of_item(&mut self, client: &Client, event: &PodioEvent) -> Result<(), Error> {
        if let Some(item_id) = event.id("item_id") {
            let item = client.item(item_id).await;
            if let Some(item) = self.answer_or_note(item, "the item")? {
                self.about(item);
            }
        }
        Ok(())
    }

    fn about(&mut self, item: Item) {
        self.app = item.app.as_ref().and_then(app_place);
        self.explanation.title = non_empty(item.title.clone());
        self.explanation.link.clone_from(&item.link);
        let app = item.app.as_ref();
        self.explanation.app = app.and_then(|app| non_empty(app.name.clone()));
        self.item = Some(item);
    }

    fn by(&mut self, revision: Revision) {
        self.set_author(revision.created_by, revision.created_via);
        self.explanation.when = revision.created_on;
    }

    /// Sets who made the change, and through which client.
    fn set_author(&mut self, by: Option<ByLine>, through: Option<Via>) {
        self.explanation.who = by.clone().map(who);
        self.explanation.via = through.clone().and_then(via);
        (self.explanation.made_by, self.explanation.made_via) = (by, through);
    }

    /// Returns the answer, or adds a note that there is none.
    pub(super) fn answer_or_note<T>(
        &mut self,
        answer: Result<T, Error>,
        what: &str,
    ) -> Result<Option<T>, Error> {
        let why = match answer {
            Ok(found) => return Ok(Some(found)),
            Err(Error::Gone { refusal, .. }) => {
                format!("{what} is gone: {refusal}")
            }
            Err(Error::Refused { refusal, .. }) if refusal.status == 403 => {
                self.is_whole = false;
                format!(
                    "{what} does not exist, or these credentials have no access to it: \
                     {refusal}"
                )
            }
            // An answer that was cut short may be complete the next time; one in another format
            // affects only this part.
            Err(Error::Json { source, .. }) if source.is_data() => {
                self.is_whole = false;
                format!("{what} cannot be read: Podio's answer has an unknown format")
            }
            Err(error) => return Err(error),
        };
        self.note(why);
        Ok(None)
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.explanation.notes.push(note.into());
    }
}

pub(super) fn who(by: ByLine) -> String {
    let name = non_empty(by.name).unwrap_or_else(|| format!("{} {}", by.kind, by.id));
    match by.kind.as_str() {
        "app" => format!("{name} (app)"),
        _ => name,
    }
}

pub(super) fn via(via: Via) -> Option<String> {
    non_empty(via.name)
}

/// Returns the text unless it is empty.
pub(super) fn non_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
