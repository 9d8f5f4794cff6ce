//! Amounts as a line of the doctor has them.

use jiff::{SignedDuration, Timestamp};

/// A time in its largest unit: what was long ago matters less.
pub(super) fn ago(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How long ago something was.
pub(super) fn since(then: Timestamp, now: Timestamp) -> String {
    format!("{} ago", ago(now.duration_since(then)))
}

/// `1 event`, `2 events`.
pub(super) fn count(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        several => format!("{several} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_its_largest_unit() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (59, "59 s"),
            (61, "1 min"),
            (3_600, "1 h"),
            (47 * 3_600, "47 h"),
            (49 * 3_600, "2 days"),
        ] {
            assert_eq!(ago(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
