//! What a person writes on an event.

mod effect;

pub(crate) use effect::{NotesAnswer, NotesEffect, run};
