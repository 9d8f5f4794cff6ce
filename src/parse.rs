//! Parses text into typed values. Errors say what is expected.

use std::time::Duration;

use jiff::SignedDuration;

/// Parses `true` or `false`, or a usual synonym.
pub(crate) fn switch(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("true or false"),
    }
}

/// Parses a positive duration such as `500ms`, `10s`, `2h 30m` or `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "a time such as 500ms, 10s, 5m, 2h or 7d";
    let text = text.trim();
    // jiff has no days in an exact duration, since a day may have 23 hours; here a day has 24.
    let days = text
        .strip_suffix('d')
        .and_then(|number| number.trim().parse::<u32>().ok());
    let duration = if let Some(days) = days {
        Duration::from_hours(24 * u64::from(days))
    } else {
        let signed: SignedDuration = text.parse().map_err(|_| EXPECTED)?;
        Duration::try_from(signed).map_err(|_| EXPECTED)?
    };
    if duration.is_zero() {
        Err(EXPECTED)
    } else {
        Ok(duration)
    }
}

/// Parses a size in bytes such as `512`, `64KiB` or `8MB`.
pub(crate) fn size(text: &str) -> Result<u64, &'static str> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| "a size such as 64KiB, 8MiB or 1GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2h 30m"), Ok(Duration::from_mins(150)));
        assert_eq!(duration("7d"), Ok(Duration::from_hours(7 * 24)));
        for bad in ["", "10", "-1s", "0s", "soon", "99999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_know_both_kinds_of_units() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("8MiB"), Ok(8 * 1024 * 1024));
        assert_eq!(size("8MB"), Ok(8_000_000));
        assert!(size("much").is_err());
    }

    #[test]
    fn switches_take_what_people_type() {
        assert_eq!(switch("Yes"), Ok(true));
        assert_eq!(switch("0"), Ok(false));
        assert!(switch("maybe").is_err());
    }
}
