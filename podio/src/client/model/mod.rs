//! What Podio answers, as far as it explains events (podio.md 5.2).
//!
//! Only the listed members are read, so secrets that ordinary answers contain (an app's `token` and
//! `mailbox`, `push` and `presence` signatures) never enter. Unknown members are ignored. A member
//! that is null, missing or of an odd shape is empty, or 0 where it is an id: it never costs the
//! rest of an answer. Times are `YYYY-MM-DD HH:MM:SS` in UTC, as Podio writes
//! them.

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
