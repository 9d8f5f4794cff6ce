//! Items: what an event's item is, what a revision changed, and writing without causing events.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lenient::{lenient, list};
use super::model::{FieldChange, Item, Revision};
use super::{Call, Client, Error};

/// Side effects of a write (podio.md 5.3). They travel in the query: in the body Podio ignores
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// Podio's words: "True if hooks should be executed for the change". `false` suppresses every
    /// hook for it, also other people's.
    pub hook: bool,
    /// Whether the change stays out of the stream and causes no notifications. Does not stop
    /// hooks.
    pub silent: bool,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            hook: true,
            silent: false,
        }
    }
}

impl WriteOptions {
    /// The query, `?` included; empty for Podio's own defaults.
    fn query(self) -> &'static str {
        match (self.hook, self.silent) {
            (true, false) => "",
            (true, true) => "?silent=true",
            (false, false) => "?hook=false",
            (false, true) => "?hook=false&silent=true",
        }
    }
}

/// What an update answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRevision {
    /// The revision number that the change made.
    pub revision: u64,
    /// The item's title afterwards.
    #[serde(default)]
    pub title: Option<String>,
}

/// Some of the items that a filter lets pass.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FoundItems {
    /// How many pass, on all pages.
    #[serde(default, deserialize_with = "lenient")]
    pub filtered: u64,
    /// Those of this page.
    #[serde(default, deserialize_with = "list")]
    pub items: Vec<Item>,
}

#[derive(Deserialize)]
struct CreatedItem {
    item_id: u64,
}

impl Client {
    /// An item, without marking it as viewed: plainly asked for, it would clear the user's unread
    /// notifications (podio.md 5.1).
    ///
    /// # Errors
    /// [`Error::Gone`] for a deleted item; under app authentication [`Error::Refused`] with 403,
    /// also for one that never was.
    pub async fn item(&self, item_id: u64) -> Result<Item, Error> {
        self.fetch(Call::get(format!("/item/{item_id}?mark_as_viewed=false")))
            .await
    }

    /// An item by its number within its app, as the URL of its page has it; not marked as viewed.
    pub async fn item_by_number(&self, app_id: u64, number: u64) -> Result<Item, Error> {
        let path = format!("/app/{app_id}/item/{number}?mark_as_viewed=false");
        self.fetch(Call::get(path)).await
    }

    /// Items of an app that were changed at or after this time, to the second, in the order in which
    /// they were created, which no change disturbs. Deleted ones are not among them. It is of the
    /// operations that Podio limits more than others (podio.md 4.3).
    pub async fn items_edited_since(
        &self,
        app_id: u64,
        since: Timestamp,
        limit: u64,
        offset: u64,
    ) -> Result<FoundItems, Error> {
        let from = since.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let call = Call::new(Method::POST, format!("/item/app/{app_id}/filter/"));
        self.fetch(call.with_body(json!({
            "filters": { "last_edit_on": { "from": from } },
            "sort_by": "created_on", "sort_desc": false, "limit": limit, "offset": offset,
        })))
        .await
    }

    /// All revisions of an item.
    pub async fn item_revisions(&self, item_id: u64) -> Result<Vec<Revision>, Error> {
        self.fetch_list(Call::get(format!("/item/{item_id}/revision/")))
            .await
    }

    /// One revision of an item: who made it, when, and through which client.
    pub async fn item_revision(&self, item_id: u64, revision: u64) -> Result<Revision, Error> {
        self.fetch(Call::get(format!("/item/{item_id}/revision/{revision}")))
            .await
    }

    /// What changed between two revision numbers, field by field. For the event of revision `n`
    /// that is `n - 1` to `n`; revision 0 has no predecessor.
    pub async fn item_difference(
        &self,
        item_id: u64,
        from: u64,
        to: u64,
    ) -> Result<Vec<FieldChange>, Error> {
        self.fetch_list(Call::get(format!("/item/{item_id}/revision/{from}/{to}")))
            .await
    }

    /// Creates an item from field values by external id, and returns its id.
    pub async fn create_item(
        &self,
        app_id: u64,
        fields: &Value,
        options: WriteOptions,
    ) -> Result<u64, Error> {
        let path = format!("/item/app/{app_id}/{}", options.query());
        let call = Call::new(Method::POST, path).with_body(json!({ "fields": fields }));
        let created: CreatedItem = self.fetch(call).await?;
        Ok(created.item_id)
    }

    /// Deletes an item, which fires `item.delete` unless `options` say `hook=false`.
    ///
    /// # Errors
    /// [`Error::Refused`] with 404 or 410 if it is already deleted, and 403 without the right.
    pub async fn delete_item(&self, item_id: u64, options: WriteOptions) -> Result<(), Error> {
        let path = format!("/item/{item_id}{}", options.query());
        self.call(Call::new(Method::DELETE, path)).await.map(drop)
    }

    /// Changes the given fields of an item. `revision` is the number that the change builds on,
    /// where that matters to the caller.
    ///
    /// # Errors
    /// [`Error::Refused`] with 409 when `revision` is no longer the current one.
    pub async fn update_item(
        &self,
        item_id: u64,
        fields: &Value,
        revision: Option<u64>,
        options: WriteOptions,
    ) -> Result<NewRevision, Error> {
        let mut body = json!({ "fields": fields });
        if let (Some(revision), Some(body)) = (revision, body.as_object_mut()) {
            body.insert("revision".to_owned(), revision.into());
        }
        let path = format!("/item/{item_id}{}", options.query());
        self.fetch(Call::new(Method::PUT, path).with_body(body))
            .await
    }
}
