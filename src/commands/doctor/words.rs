//! Amounts as a line of the doctor has them.

use jiff::Timestamp;
use podtap_agent::amount::age;

/// How long ago something was.
pub(super) fn since(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", age(now.duration_since(then)))
}
