//! Formats an event with its last answer as an entry of an HTTP Archive (HAR 1.2, as the Web
//! Performance Working Group last published it), which browsers and proxies import. An import
//! parses the fields itself, since archives of other tools lack some.
//!
//! Nothing is lost: header values are ISO 8859-1 text, as browsers write them, bodies that are not
//! text are base64, and `_podtap` contains what HAR has no field for. HAR has an `encoding` for
//! answers only; for a request it is `_encoding`, since custom fields begin with `_`.

mod build;

use std::borrow::Cow;
use std::net::IpAddr;

use podtap_wire::{EventId, Seq};
use serde::Serialize;

use super::json::{AttemptObject, Findings};

/// The name of the base64 encoding.
pub(crate) const BASE64: &str = "base64";

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HarEntry<'a> {
    pub(crate) started_date_time: Cow<'a, str>,
    pub(crate) time: Option<f64>,
    pub(crate) request: HarRequest<'a>,
    pub(crate) response: Option<HarResponse<'a>>,
    cache: Cache,
    timings: Timings,
    /// The note that a person wrote on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Cow<'a, str>>,
    #[serde(rename = "_podtap", skip_serializing_if = "Option::is_none")]
    pub(crate) podtap: Option<Podtap<'a>>,
}

/// What HAR has no field for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Podtap<'a> {
    pub(crate) id: Option<EventId>,
    seq: Option<Seq>,
    /// The path exactly as received; the URL contains it in the form of a valid URI.
    pub(crate) path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<IpAddr>,
    event: Option<Cow<'a, str>>,
    received_at: Option<Cow<'a, str>>,
    #[serde(flatten)]
    found: Findings<'a>,
    /// All attempts, as in `docs/JSON.md`; the answer to the last one is the entry's response.
    pub(crate) attempts: Option<Vec<AttemptObject<'a>>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HarRequest<'a> {
    pub(crate) method: Cow<'a, str>,
    pub(crate) url: Cow<'a, str>,
    http_version: &'static str,
    cookies: [(); 0],
    pub(crate) headers: Vec<HarPair<'a>>,
    query_string: Vec<HarPair<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) post_data: Option<PostData<'a>>,
    headers_size: i64,
    body_size: usize,
}

/// A header or a parameter.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HarPair<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PostData<'a> {
    pub(crate) mime_type: Cow<'a, str>,
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(rename = "_encoding", skip_serializing_if = "Option::is_none")]
    pub(crate) custom_encoding: Option<Cow<'a, str>>,
}

/// The answer; in HAR, status 0 means that there was none.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HarResponse<'a> {
    pub(crate) status: i64,
    status_text: &'static str,
    http_version: &'static str,
    cookies: [(); 0],
    pub(crate) headers: Vec<HarPair<'a>>,
    pub(crate) content: HarContent<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: Cow<'a, str>,
    headers_size: i64,
    body_size: u64,
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HarContent<'a> {
    /// Size of the whole answer; the text may be cut off.
    pub(crate) size: Option<i64>,
    mime_type: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encoding: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Cache {}

#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Timings {
    send: f64,
    wait: f64,
    receive: f64,
}

/// The archive's creator.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Creator {
    name: &'static str,
    version: &'static str,
}

/// Podtap as the creator.
pub(crate) const CREATOR: Creator = Creator {
    name: "podtap",
    version: env!("CARGO_PKG_VERSION"),
};
