//! Parses Podio's times: in UTC, to the second, without a zone.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// Parses a time of Podio's.
pub(crate) fn podio_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(FORMAT, text).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}
