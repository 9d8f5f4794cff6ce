//! An event edited, then sent.

mod effect;

pub(crate) use effect::{EditAnswer, EditEffect, run};
