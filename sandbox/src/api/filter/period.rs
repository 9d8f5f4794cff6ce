//! Parses periods in filters, `{from, to}`: absolute, or relative to today as in `-1m`.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, Span};
use serde_json::{Map, Value};

use crate::answer::ErrorAnswer;
use crate::world::moment;

/// A period. A missing end is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::api) struct Period {
    from: Option<DateTime>,
    /// First moment after the period.
    end: Option<DateTime>,
}

impl Period {
    /// Parses `{from, to}`, both inclusive.
    pub(in crate::api) fn read(key: &str, value: &Value, today: Date) -> Result<Self, ErrorAnswer> {
        let Value::Object(range) = value else {
            return Err(ErrorAnswer::wrong_type(
                value,
                "object with `from` and `to`",
            ));
        };
        if range.keys().any(|name| name != "from" && name != "to") {
            return Err(ErrorAnswer::invalid(format!(
                "Invalid filter {key}: must be {{from, to}}"
            )));
        }
        Ok(Self {
            from: end_of(range, "from", today)?.map(|(from, _)| from),
            end: end_of(range, "to", today)?.map(|(_, end)| end),
        })
    }

    pub(in crate::api) fn contains(self, at: DateTime) -> bool {
        self.from.is_none_or(|from| at >= from) && self.end.is_none_or(|end| at < end)
    }

    /// Returns whether the period overlaps with the time between `from` and `to`.
    pub(in crate::api) fn meets(self, from: DateTime, to: DateTime) -> bool {
        self.from.is_none_or(|begin| to >= begin) && self.end.is_none_or(|end| from < end)
    }
}

/// Returns the first moment of the time that one end names, and the first moment after it.
fn end_of(
    range: &Map<String, Value>,
    name: &str,
    today: Date,
) -> Result<Option<(DateTime, DateTime)>, ErrorAnswer> {
    let text = match range.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text,
        Some(other) => return Err(ErrorAnswer::wrong_type(other, "string")),
    };
    if let Some((first, after)) = relative(text, today) {
        let midnight = |day: Date| day.to_datetime(Time::midnight());
        return Ok(Some((midnight(first), midnight(after))));
    }
    let begin = moment(text)?;
    // The end of the second, or of the day.
    let end = if text.contains([' ', 'T']) {
        begin.checked_add(SignedDuration::from_secs(1)).ok()
    } else {
        let tomorrow = begin.date().tomorrow().ok();
        tomorrow.map(|day| day.to_datetime(Time::midnight()))
    };
    Ok(Some((begin, end.unwrap_or(DateTime::MAX))))
}

/// Parses days, weeks, months or years from today, as in `-2w`. With an `r` at the end, the whole
/// week, month or year is meant (podio.md 5.4). Returns the first day, and the day after the last.
fn relative(text: &str, today: Date) -> Option<(Date, Date)> {
    let (count, is_rounded) = match text.strip_suffix('r') {
        Some(count) => (count, true),
        None => (text, false),
    };
    let units = ['d', 'w', 'm', 'y'];
    let (count, unit) = units
        .into_iter()
        .find_map(|unit| Some((count.strip_suffix(unit)?, unit)))?;
    let count: i32 = count.parse().ok()?;
    let span = |count: i32| match unit {
        'd' => Span::new().try_days(count),
        'w' => Span::new().try_weeks(count),
        'm' => Span::new().try_months(count),
        _ => Span::new().try_years(count),
    };
    let day = today.checked_add(span(count).ok()?).ok()?;
    if !is_rounded {
        return Some((day, day.tomorrow().ok()?));
    }
    let first = match unit {
        'd' => day,
        'w' => day
            .checked_sub(Span::new().days(day.weekday().since(Weekday::Monday)))
            .ok()?,
        'm' => day.first_of_month(),
        _ => day.first_of_year(),
    };
    Some((first, first.checked_add(span(1).ok()?).ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn period(value: &Value) -> Result<Period, ErrorAnswer> {
        // This day is a Thursday.
        Period::read("date", value, "2026-11-26".parse().unwrap())
    }

    #[test]
    fn times_count_from_today_and_round_to_the_whole_unit() {
        for (from, to, first, after) in [
            ("-1d", "0d", "2026-11-25", "2026-11-27"),
            ("-2w", "1y", "2026-11-12", "2027-11-27"),
            ("-1wr", "+0wr", "2026-11-16", "2026-11-30"),
            ("-1mr", "1mr", "2026-10-01", "2027-01-01"),
            ("0yr", "0yr", "2026-01-01", "2027-01-01"),
            ("2026-02-01", "2026-02-28", "2026-02-01", "2026-03-01"),
        ] {
            let expected = Period {
                from: first.parse().ok(),
                end: after.parse().ok(),
            };
            let read = period(&json!({ "from": from, "to": to })).unwrap();
            assert_eq!(read, expected, "{from} {to}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for value in [
            json!({ "from": "yesterday" }),
            json!({ "from": "-d" }),
            json!({ "from": "1h" }),
            json!({ "from": "99999999999y" }),
            json!({ "to": 5 }),
            json!({ "since": "-1d" }),
            json!("-1d"),
        ] {
            assert_eq!(period(&value).unwrap_err().status, 400, "{value}");
        }
    }
}
