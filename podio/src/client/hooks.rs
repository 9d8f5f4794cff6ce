//! Hooks: create, list, delete, and the two halves of their verification (podio.md 2).
//!
//! Podio has no operation to change a hook, to fetch a single one, or to list
//! all hooks. To change a URL, delete the hook, then create and verify another.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lenient::lenient;
use super::model::{ByLine, Via};
use super::{Access, ApiOperation, Client, Error};
use crate::catalog::EventType;
use crate::ref_type::RefType;

/// A hook as Podio lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The hook's id, which each of its events contains.
    pub hook_id: u64,
    /// Whether the hook delivers events.
    #[serde(default, deserialize_with = "lenient")]
    pub status: HookStatus,
    /// The event type; text, since Podio may add types.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub event: String,
    /// The URL to which it delivers.
    #[serde(default, deserialize_with = "lenient")]
    pub url: String,
    /// `YYYY-MM-DD HH:MM:SS`, UTC.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// The person or app that created the hook.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client with which it was created.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}

/// Whether a hook delivers. The status of a suspended hook is unknown (podio.md 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookStatus {
    /// Verified: events are delivered.
    Active,
    /// Not yet verified, or disabled after failures: no events are delivered.
    Inactive,
    /// A status that this build does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl HookStatus {
    /// Returns Podio's word for the status.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Unknown => "unknown",
        }
    }
}

#[derive(Deserialize)]
struct CreatedHook {
    hook_id: u64,
}

impl Client {
    /// Creates a hook and returns its id. The hook is inactive; Podio
    /// sends it `hook.verify` at once, possibly before this returns.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] with 400 for an event type that `ref_type`
    /// does not support, and with 403 without the right `add_hook`. Podio's
    /// response to an eleventh hook of a type is unknown (podio.md 1.4).
    pub async fn create_hook(
        &self,
        ref_type: RefType,
        ref_id: u64,
        url: &str,
        event: EventType,
    ) -> Result<u64, Error> {
        let call = ApiOperation::new(Method::POST, format!("/hook/{ref_type}/{ref_id}/"))
            .with_body(json!({ "url": url, "type": event.as_str() }));
        let created: CreatedHook = self.fetch(call).await?;
        Ok(created.hook_id)
    }

    /// Returns all hooks on one object, including those of other people.
    pub async fn hooks(&self, ref_type: RefType, ref_id: u64) -> Result<Vec<Hook>, Error> {
        self.fetch_list(ApiOperation::get(format!("/hook/{ref_type}/{ref_id}/")))
            .await
    }

    /// Deletes a hook. A hook that no longer exists counts as deleted.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] with 403 if the caller is an app and a person made the hook.
    pub async fn delete_hook(&self, hook_id: u64) -> Result<(), Error> {
        self.remove_hook(hook_id).await.map(drop)
    }

    /// Deletes a hook and returns whether it existed.
    pub async fn remove_hook(&self, hook_id: u64) -> Result<bool, Error> {
        let call = ApiOperation::new(Method::DELETE, format!("/hook/{hook_id}"));
        match self.call(call).await {
            Ok(_) => Ok(true),
            Err(Error::Gone { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks Podio to send the hook another `hook.verify`.
    pub async fn request_hook_verification(&self, hook_id: u64) -> Result<(), Error> {
        let call = ApiOperation::new(Method::POST, format!("/hook/{hook_id}/verify/request"))
            .with_body(json!({}));
        self.call(call).await.map(drop)
    }

    /// Validates a hook with the code of its `hook.verify`; then the hook is active.
    ///
    /// Sends the token if there is one. Whether Podio accepts the call without a token is not
    /// settled (podio.md 2): the official sample sends none, and the code itself is a proof.
    ///
    /// # Errors
    /// Returns [`Error::Refused`] with 400 for a wrong code or hook.
    pub async fn validate_hook(&self, hook_id: u64, code: &str) -> Result<(), Error> {
        let call = ApiOperation {
            access: Access::IfAny,
            ..ApiOperation::new(Method::POST, format!("/hook/{hook_id}/verify/validate"))
                .with_body(json!({ "code": code }))
        };
        self.call(call).await.map(drop)
    }
}
