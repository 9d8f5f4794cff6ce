//! Parses the values after a term's colon to numbers,
//! times and statuses; the errors say what is possible.

use jiff::{Span, Timestamp, ZonedDateTime, civil};

use super::{FailureTest, StatusTest};
use crate::history::fault::is_fingerprint;

pub(super) fn id(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "an id must be a whole number".to_owned())
}

pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("this must be `yes` or `no`".to_owned()),
    }
}

/// Parses the beginning of an event id, of any length, with the characters of a ULID.
pub(super) fn event_id(text: &str) -> Result<String, String> {
    let text = text.to_ascii_uppercase();
    let is_ulid = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() && !b"ILOU".contains(&b));
    if is_ulid && text.len() <= 26 && text.as_bytes().first() <= Some(&b'7') {
        Ok(text)
    } else {
        Err("this is not an event id".to_owned())
    }
}

pub(super) fn status(text: &str) -> Result<StatusTest, String> {
    const EXPECTED: &str = "try 200, 5xx, >=400, error, pending or held";
    let number = |text: &str| text.parse::<u16>().map_err(|_| EXPECTED.to_owned());
    Ok(match text {
        "error" => StatusTest::Error,
        "pending" => StatusTest::Pending,
        "held" => StatusTest::Held,
        _ => {
            if let Some(class) = text.strip_suffix("xx") {
                let class = number(class).ok().filter(|class| (1..=9).contains(class));
                let low = class.ok_or_else(|| EXPECTED.to_owned())? * 100;
                StatusTest::Within(low, low + 99)
            } else if let Some(low) = text.strip_prefix(">=") {
                StatusTest::Within(number(low)?, u16::MAX)
            } else if let Some(high) = text.strip_prefix("<=") {
                StatusTest::Within(0, number(high)?)
            } else if let Some(below) = text.strip_prefix('>') {
                StatusTest::Within(number(below)?.saturating_add(1), u16::MAX)
            } else if let Some(above) = text.strip_prefix('<') {
                StatusTest::Within(0, number(above)?.saturating_sub(1))
            } else {
                let code = number(text)?;
                StatusTest::Within(code, code)
            }
        }
    })
}

pub(super) fn failure(text: &str) -> Result<FailureTest, String> {
    match text {
        "yes" => Ok(FailureTest::Any),
        "no" => Ok(FailureTest::None),
        print if is_fingerprint(print) => Ok(FailureTest::Of(print.to_owned())),
        _ => Err("try yes, no, or a fingerprint of `podtap events --group`".to_owned()),
    }
}

/// Parses a time. `10m`, `2h`, `3d`: that long before now. `14:30`: the last time at which the
/// clock showed it. `2026-11-23`: the beginning of that day. Otherwise RFC 3339; without an offset, a
/// local time.
pub(super) fn time(text: &str, now: &ZonedDateTime) -> Result<Timestamp, String> {
    const EXPECTED: &str = "try 10m, 2h, 3d, 14:30, 2026-11-23 or 2026-11-23T14:30:00Z";
    let expected = || EXPECTED.to_owned();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(time) = civil::Time::strptime("%H:%M", text) {
        let today = now.with().time(time).build().map_err(|_| expected())?;
        let last = if today > *now {
            today.yesterday().map_err(|_| expected())?
        } else {
            today
        };
        return Ok(last.timestamp());
    }
    if let Ok(time) = text.parse::<civil::DateTime>() {
        let time = time.to_zoned_datetime(now.time_zone().clone());
        return Ok(time.map_err(|_| expected())?.timestamp());
    }
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u32 = digits.parse().map_err(|_| expected())?;
    let unit_seconds = match text.strip_prefix(digits) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 60 * 60,
        Some("d") => 24 * 60 * 60,
        Some("w") => 7 * 24 * 60 * 60,
        _ => return Err(expected()),
    };
    let ago = Span::new()
        .try_seconds(i64::from(count) * unit_seconds)
        .map_err(|_| expected())?;
    now.timestamp()
        .checked_sub(ago)
        .map_err(|_| "this time is too far in the past".to_owned())
}
