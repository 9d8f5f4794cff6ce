//! A request as a file that a person edits: written, read back, and compared with what it was.

mod difference;
mod file;

pub(crate) use difference::difference;
pub(crate) use file::{parse, write};
