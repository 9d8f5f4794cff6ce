//! Podio's domain, free of tunnels: what its webhooks are, what they carry, and how to read one.
//!
//! - [`catalog`]: every event type and its parameters, one table.
//! - [`ref_type`]: what hooks are made on.
//! - [`event`]: a decoded webhook, [`PodioEvent`].
//! - [`mod@decode`]: the body of a POST to a [`PodioEvent`], or why it is none.
//! - [`mod@sample`]: realistic parameters for every event type.
//! - [`reach`]: which hosts are near enough for what is not encrypted.
//! - [`selection`]: event types as people name several.
//! - [`hook_url`]: whether Podio would call a URL at all.
//! - [`standing`]: when Podio would stop calling a hook.
//! - [`wording`]: field values, and what changed in them, as a reader wants them.
//! - [`client`]: Podio's API, as far as hooks and events need it.
//!
//! Section numbers in the documentation ("podio.md 1.1") refer to the project's notes on Podio,
//! which were compiled from public documentation, client libraries and reports. Where Podio's
//! behaviour is not documented, the item says so.

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
