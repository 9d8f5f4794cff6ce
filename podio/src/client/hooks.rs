//! Hooks: create, list, delete, and the two halves of their verification (podio.md 2).
//!
//! Podio has no operation to change a hook, to look one up, or to list all: a new URL means
//! delete, create and verify.

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::lenient::lenient;
use super::model::{ByLine, Via};
use super::{Access, Call, Client, Error};
use crate::catalog::EventType;
use crate::ref_type::RefType;

/// A hook as Podio lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// Its id, which every event of it carries.
    pub hook_id: u64,
    /// Whether it delivers.
    #[serde(default, deserialize_with = "lenient")]
    pub status: HookStatus,
    /// The event type; text, since Podio may add types.
    #[serde(rename = "type", default, deserialize_with = "lenient")]
    pub event: String,
    /// Where it delivers to.
    #[serde(default, deserialize_with = "lenient")]
    pub url: String,
    /// `YYYY-MM-DD HH:MM:SS`, UTC.
    #[serde(default, deserialize_with = "lenient")]
    pub created_on: Option<String>,
    /// Who made it.
    #[serde(default, deserialize_with = "lenient")]
    pub created_by: Option<ByLine>,
    /// The API client that it was made with.
    #[serde(default, deserialize_with = "lenient")]
    pub created_via: Option<Via>,
}

/// Whether a hook delivers. What Podio shows for a suspended hook is unknown (podio.md 1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookStatus {
    /// Verified; events are delivered.
    Active,
    /// Not yet verified, or disabled after failures; nothing is delivered.
    Inactive,
    /// A word that this build does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

impl HookStatus {
    /// The word for it.
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
    /// Makes a hook and returns its id. It is inactive, and Podio at once sends it `hook.verify`,
    /// possibly before this returns.
    ///
    /// # Errors
    /// [`Error::Refused`] with 400 for a type that `ref_type` does not take, with 403 without the
    /// right `add_hook`; on the eleventh hook of a type Podio's answer is unknown (podio.md 1.4).
    pub async fn create_hook(
        &self,
        ref_type: RefType,
        ref_id: u64,
        url: &str,
        event: EventType,
    ) -> Result<u64, Error> {
        let call = Call::new(Method::POST, format!("/hook/{ref_type}/{ref_id}/"))
            .with_body(json!({ "url": url, "type": event.as_str() }));
        let created: CreatedHook = self.fetch(call).await?;
        Ok(created.hook_id)
    }

    /// All hooks on one object, also those that others made.
    pub async fn hooks(&self, ref_type: RefType, ref_id: u64) -> Result<Vec<Hook>, Error> {
        self.fetch_list(Call::get(format!("/hook/{ref_type}/{ref_id}/")))
            .await
    }

    /// Deletes a hook. One that is gone already counts as deleted.
    ///
    /// # Errors
    /// [`Error::Refused`] with 403 where an app's token meets a hook that a person made.
    pub async fn delete_hook(&self, hook_id: u64) -> Result<(), Error> {
        self.remove_hook(hook_id).await.map(drop)
    }

    /// The same, and whether it was there.
    pub async fn remove_hook(&self, hook_id: u64) -> Result<bool, Error> {
        let call = Call::new(Method::DELETE, format!("/hook/{hook_id}"));
        match self.call(call).await {
            Ok(_) => Ok(true),
            Err(Error::Gone { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Asks Podio to send the hook another `hook.verify`.
    pub async fn request_hook_verification(&self, hook_id: u64) -> Result<(), Error> {
        let call =
            Call::new(Method::POST, format!("/hook/{hook_id}/verify/request")).with_body(json!({}));
        self.call(call).await.map(drop)
    }

    /// Validates a hook with the code of its `hook.verify`, after which it is active.
    ///
    /// Sends the token where there is one. Whether Podio takes it without is not settled
    /// (podio.md 2): the official sample does without, and the code is itself a proof.
    ///
    /// # Errors
    /// [`Error::Refused`] with 400 for a wrong code or hook.
    pub async fn validate_hook(&self, hook_id: u64, code: &str) -> Result<(), Error> {
        let call = Call {
            access: Access::IfAny,
            ..Call::new(Method::POST, format!("/hook/{hook_id}/verify/validate"))
                .with_body(json!({ "code": code }))
        };
        self.call(call).await.map(drop)
    }
}
