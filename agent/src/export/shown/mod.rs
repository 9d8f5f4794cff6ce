//! Events as the web page and coding assistants are shown them: a row of the list, and an event whole,
//! with bodies that are cut to a size. Plain data to serialize; everything in it but numbers and states
//! is of the outside world.

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
