//! Formats times and durations for the objects.

/// RFC 3339 in UTC with milliseconds.
pub mod millis {
    use jiff::Timestamp;
    use serde::Serializer;

    /// Returns the time as text.
    pub fn text(time: Timestamp) -> String {
        format!("{time:.3}")
    }

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(*time))
    }
}

/// Milliseconds, to the microsecond, as a number.
pub mod duration_ms {
    use std::time::Duration;

    use serde::Serializer;

    /// Returns the duration as a number.
    pub fn number(duration: Duration) -> f64 {
        (duration.as_secs_f64() * 1e6).round() / 1e3
    }

    /// Converts a number of milliseconds to a duration, to the microsecond.
    pub(crate) fn parse(millis: f64) -> Option<Duration> {
        Duration::try_from_secs_f64((millis * 1e3).round() / 1e6).ok()
    }

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(number(*duration))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration_ms;

    #[test]
    fn durations_are_the_same_after_they_were_written_and_read() {
        for micros in [0, 1, 999, 38_412, 1_000_001, 86_400_000_001] {
            let duration = Duration::from_micros(micros);
            let read = duration_ms::parse(duration_ms::number(duration));
            assert_eq!(read, Some(duration));
        }
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(duration_ms::parse(bad), None);
        }
    }
}
