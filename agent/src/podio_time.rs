//! Times as Podio writes them: in UTC, to the second, without a zone.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// The moment that Podio names.
pub(crate) fn podio_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(FORMAT, text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}
