//! Formats times for the doctor.

use jiff::Timestamp;
use podtap_agent::amount::age;

/// Describes how long ago a time was.
pub(super) fn since(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", age(now.duration_since(then)))
}
