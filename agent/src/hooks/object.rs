//! Serializes a hook as Podio lists it, with what is known about it here, according to the schema.

use serde::Serialize;

use super::ListedHook;
use crate::export::json::line;
use crate::standing::HookStanding;

/// A hook of a listing.
#[derive(Debug, Serialize)]
pub struct ListedHookObject<'a> {
    hook_id: String,
    status: &'static str,
    event: &'a str,
    url: &'a str,
    ref_type: &'static str,
    ref_id: String,
    created_on: Option<&'a str>,
    /// What Podio would have concluded if it had called the local service itself.
    standing: Option<&'a str>,
    /// What is known against the URL.
    url_verdict: Option<&'a str>,
}

impl ListedHookObject<'_> {
    /// Returns the object as one line, without the line's end.
    pub fn to_line(&self) -> String {
        line("hook", self)
    }
}

impl<'a> From<&'a ListedHook> for ListedHookObject<'a> {
    fn from(listed: &'a ListedHook) -> Self {
        let ListedHook { place, hook, .. } = listed;
        Self {
            hook_id: hook.hook_id.to_string(),
            status: hook.status.word(),
            event: &hook.event,
            url: &hook.url,
            ref_type: place.at.ref_type.as_str(),
            ref_id: place.at.ref_id.to_string(),
            created_on: hook.created_on.as_deref(),
            standing: listed.standing.as_ref().map(HookStanding::conclusion),
            url_verdict: listed.verdict.word(),
        }
    }
}
