//! Items: reads them and their revisions, and changes them without causing events.

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::lenient::{lenient, list};
use super::model::{FieldChange, Item, Revision};
use super::{ApiOperation, Client, Error};

/// Side effects of a write (podio.md 5.3). They are sent
/// in the query, since Podio ignores them in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteOptions {
    /// Podio's description: "True if hooks should be executed for the change".
    /// `false` suppresses all hooks for the change, including other people's.
    pub hook: bool,
    /// Whether the change stays out of the stream and
    /// causes no notifications. Does not affect hooks.
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
    /// Returns the query including `?`; empty for Podio's own defaults.
    fn query(self) -> &'static str {
        match (self.hook, self.silent) {
            (true, false) => "",
            (true, true) => "?silent=true",
            (false, false) => "?hook=false",
            (false, true) => "?hook=false&silent=true",
        }
    }
}

/// The response to an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRevision {
    /// The revision number of the change.
    pub revision: u64,
    /// The item's title after the change.
    #[serde(default)]
    pub title: Option<String>,
}

/// One page of the items that match a filter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FoundItems {
    /// The number of matching items on all pages.
    #[serde(default, deserialize_with = "lenient")]
    pub filtered: u64,
    /// The items of this page.
    #[serde(default, deserialize_with = "list")]
    pub items: Vec<Item>,
}

#[derive(Deserialize)]
struct CreatedItem {
    item_id: u64,
}

impl Client {
    /// Returns an item without marking it as viewed: otherwise the call
    /// would clear the user's unread notifications (podio.md 5.1).
    ///
    /// # Errors
    /// Returns [`Error::Gone`] for a deleted item. With app authentication,
    /// returns [`Error::Refused`] with 403, also for an item that never existed.
    pub async fn item(&self, item_id: u64) -> Result<Item, Error> {
        self.fetch(ApiOperation::get(format!(
            "/item/{item_id}?mark_as_viewed=false"
        )))
        .await
    }

    /// Returns an item by its number within its app, as in
    /// the URL of its page; does not mark it as viewed.
    pub async fn item_by_number(&self, app_id: u64, number: u64) -> Result<Item, Error> {
        let path = format!("/app/{app_id}/item/{number}?mark_as_viewed=false");
        self.fetch(ApiOperation::get(path)).await
    }

    /// Returns items of an app that were changed at or after this time, without its fractions of
    /// a second. They are in the order of their creation, which no change affects. Deleted items
    /// are not included. This operation has one of Podio's lower rate limits (podio.md 4.3).
    pub async fn items_edited_since(
        &self,
        app_id: u64,
        since: Timestamp,
        limit: u64,
        offset: u64,
    ) -> Result<FoundItems, Error> {
        let from = since.strftime("%Y-%m-%d %H:%M:%S").to_string();
        let call = ApiOperation::new(Method::POST, format!("/item/app/{app_id}/filter/"));
        self.fetch(call.with_body(json!({
            "filters": { "last_edit_on": { "from": from } },
            "sort_by": "created_on", "sort_desc": false, "limit": limit, "offset": offset,
        })))
        .await
    }

    /// Returns all revisions of an item.
    pub async fn item_revisions(&self, item_id: u64) -> Result<Vec<Revision>, Error> {
        self.fetch_list(ApiOperation::get(format!("/item/{item_id}/revision/")))
            .await
    }

    /// Returns one revision of an item: who made it, when, and through which client.
    pub async fn item_revision(&self, item_id: u64, revision: u64) -> Result<Revision, Error> {
        self.fetch(ApiOperation::get(format!(
            "/item/{item_id}/revision/{revision}"
        )))
        .await
    }

    /// Returns the differences between two revisions, field by field. For the event
    /// of revision `n`, compare `n - 1` with `n`; revision 0 has no predecessor.
    pub async fn item_difference(
        &self,
        item_id: u64,
        from: u64,
        to: u64,
    ) -> Result<Vec<FieldChange>, Error> {
        self.fetch_list(ApiOperation::get(format!(
            "/item/{item_id}/revision/{from}/{to}"
        )))
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
        let call = ApiOperation::new(Method::POST, path).with_body(json!({ "fields": fields }));
        let created: CreatedItem = self.fetch(call).await?;
        Ok(created.item_id)
    }

    /// Deletes an item, which triggers `item.delete` unless `options` has `hook: false`.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] with 404 or 410 if the item
    /// is already deleted, and with 403 without the right.
    pub async fn delete_item(&self, item_id: u64, options: WriteOptions) -> Result<(), Error> {
        let path = format!("/item/{item_id}{}", options.query());
        self.call(ApiOperation::new(Method::DELETE, path))
            .await
            .map(drop)
    }

    /// Changes the given fields of an item. If `revision` is given,
    /// the change is made only if that is still the current revision.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] with 409 if `revision` is no longer the current one.
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
        self.fetch(ApiOperation::new(Method::PUT, path).with_body(body))
            .await
    }
}
