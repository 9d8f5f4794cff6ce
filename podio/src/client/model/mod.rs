//! Podio's responses, as far as they are needed to explain events (podio.md 5.2).
//!
//! Only the listed members are read, so secrets in ordinary responses (an app's `token` and
//! `mailbox`, `push` and `presence` signatures) are never stored. Unknown members are ignored. A
//! member that is null, missing or of an unexpected type is empty, or 0 if it is an id; the rest
//! of the response is still read. Times are `YYYY-MM-DD HH:MM:SS` in UTC, as Podio sends them.

mod app;
mod attached;
mod item;
mod people;
mod reference;

pub use app::{App, AppConfig, AppField, Space, TokenScope};
pub use attached::{Comment, File, Task};
pub use item::{FieldChange, FieldConfig, FieldValue, Item, Revision, RevisionKind};
pub use people::{Contact, StatusPost};
pub use reference::{AppRef, ByLine, Person, Reference, Via};
