//! Counts the questions of one asker, so that an answer to an older one is recognised and dropped.

/// The number of a question.
pub(crate) type Generation = u64;
