//! Everything about Podio that is independent of tunnels: its webhooks, their content, and its API.
//!
//! - [`catalog`]: the table of all event types and their parameters.
//! - [`ref_type`]: the objects on which hooks are created.
//! - [`event`]: a decoded webhook, [`PodioEvent`].
//! - [`mod@decode`]: decodes the body of a POST to a [`PodioEvent`].
//! - [`mod@sample`]: realistic parameters for every event type.
//! - [`reach`]: which hosts are near enough for unencrypted connections.
//! - [`selection`]: parses lists of event types.
//! - [`hook_url`]: whether Podio would call a URL.
//! - [`standing`]: when Podio would stop calling a hook.
//! - [`wording`]: formats field values and their changes for a reader.
//! - [`client`]: Podio's API, as far as hooks and events need it.
//!
//! Section numbers in the documentation ("podio.md 1.1") refer to the project's
//! notes on Podio, which were compiled from public documentation, client libraries
//! and reports. If Podio's behaviour is not documented, the item says so.

#![warn(missing_docs)]

pub mod catalog;
pub mod client;
pub mod decode;
pub mod event;
pub mod hook_url;
pub mod reach;
pub mod ref_type;
pub mod sample;
pub mod selection;
pub mod standing;
pub mod wording;

pub use catalog::{Confidence, EventSpec, EventType, ParameterKind, ParameterSpec};
pub use decode::{NotPodio, decode, params};
pub use event::{EventKind, ObjectKind, ObjectRef, PodioEvent};
pub use hook_url::check_hook_url;
pub use ref_type::RefType;
pub use sample::sample;
pub use selection::select;
