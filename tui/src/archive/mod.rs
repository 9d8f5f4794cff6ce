//! Events into a file and back.

mod effect;

pub(crate) use effect::{ArchiveAnswer, ArchiveEffect, run};
