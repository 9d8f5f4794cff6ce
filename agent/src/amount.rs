//! Formats amounts for people: sizes, durations, ages, counts.

use std::time::Duration;

use bytesize::ByteSize;
use jiff::SignedDuration;

/// Formats a size in the units of the limits: `78 B`, `1.5 KiB`, `4.1 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// Formats a duration: in milliseconds up to ten seconds, then in seconds, then in minutes.
#[must_use]
pub fn duration(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ ..10_000 => format!("{millis} ms"),
        millis @ ..600_000 => format!("{}.{} s", millis / 1_000, millis / 100 % 10),
        millis => format!("{} min", millis / 60_000),
    }
}

/// Formats a limit of time, as it was set: `15 s`, `0.5 s`.
#[must_use]
pub fn limit(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f32())
}

/// Formats an age in its largest unit: the older, the less precise.
#[must_use]
pub fn age(time: SignedDuration) -> String {
    match time.as_secs().max(0) {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ ..3_600 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// Formats how often something happens, in the largest unit of which it takes at least two:
/// `90 s`, `90 min`.
#[must_use]
pub fn interval(time: SignedDuration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3_600),
    }
}

/// Formats a number with a space between its thousands.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Formats a count with its noun in singular or plural: `1 event`, `1 204 events`.
#[must_use]
pub fn count(many: u64, noun: &str) -> String {
    let plural = if many == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(many))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_the_units_of_the_limits() {
        for (bytes, text) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_536, "1.5 KiB"),
            (4_300_000, "4.1 MiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn durations_are_in_milliseconds_up_to_ten_seconds() {
        for (millis, text) in [
            (0, "0 ms"),
            (9_999, "9999 ms"),
            (12_345, "12.3 s"),
            (600_000, "10 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (59, "59 s"),
            (61, "1 min"),
            (3_600, "1 h"),
            (47 * 3_600, "47 h"),
            (49 * 3_600, "2 d"),
        ] {
            assert_eq!(age(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (value, text) in [
            (7, "7"),
            (999, "999"),
            (1_204, "1 204"),
            (1_000_000, "1 000 000"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(count(1, "event"), "1 event");
        assert_eq!(count(1_204, "event"), "1 204 events");
    }
}
