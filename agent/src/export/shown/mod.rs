//! Serializes events for the web page and coding assistants: rows of
//! the list, and whole events with bodies that are cut to a size.
//! Everything in the data except numbers and states is untrusted.

mod body;
mod detail;
mod gap;
mod row;
mod status;

pub use body::ShownBody;
pub use detail::{ShownAttempt, ShownEvent, ShownExplanation};
pub use gap::ShownGap;
pub use row::ShownRow;
pub use status::ShownStatus;
