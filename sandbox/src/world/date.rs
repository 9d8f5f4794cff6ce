//! Converts dates to the form in which Podio answers them: whole, in parts, and both again in UTC.
//!
//! The sandbox knows only UTC, so both are the same.

use jiff::civil::{Date, DateTime, Time};
use serde_json::{Map, Value, json};

use crate::answer::ErrorAnswer;

/// A day, with a time if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DateOrTime {
    day: Date,
    time: Option<Time>,
}

/// Converts a date as a client writes it to the form in which Podio answers it.
pub(super) fn read(given: &Value) -> Result<Value, ErrorAnswer> {
    let members = match given {
        Value::String(start) => Map::from_iter([("start".to_owned(), json!(start))]),
        Value::Object(members) => members.clone(),
        other => return Err(ErrorAnswer::wrong_type(other, "object")),
    };
    let start = side(&members, "start")?
        .ok_or_else(|| ErrorAnswer::invalid("Missing parameter start of a date"))?;
    let mut shown = Map::new();
    show("start", Some(start), &mut shown);
    show("end", side(&members, "end")?, &mut shown);
    Ok(shown.into())
}

/// Parses a moment in Podio's form, or a day, which means its beginning.
pub(crate) fn moment(text: &str) -> Result<DateTime, ErrorAnswer> {
    let whole = text.parse::<DateTime>();
    whole.map_err(|_| {
        ErrorAnswer::invalid(format!(
            "Invalid value '{text}' (string): must be YYYY-MM-DD or YYYY-MM-DD HH:MM:SS"
        ))
    })
}

/// Reads one end of a date: whole or in parts, in local time or in UTC.
fn side(given: &Map<String, Value>, side: &str) -> Result<Option<DateOrTime>, ErrorAnswer> {
    for suffix in ["", "_utc"] {
        if let Some(text) = text(given, &format!("{side}{suffix}"))? {
            let whole = moment(text)?;
            // In Podio's answers, the whole has midnight, and the part says that there is no time.
            let no_time = given.get(&format!("{side}_time{suffix}")) == Some(&Value::Null);
            let has_time = text.contains([' ', 'T']) && !no_time;
            return Ok(Some(DateOrTime {
                day: whole.date(),
                time: has_time.then(|| whole.time()),
            }));
        }
        if let Some(day) = text(given, &format!("{side}_date{suffix}"))? {
            let time = match text(given, &format!("{side}_time{suffix}"))? {
                Some(time) => Some(moment(&format!("{day} {time}"))?.time()),
                None => None,
            };
            let day = moment(day)?.date();
            return Ok(Some(DateOrTime { day, time }));
        }
    }
    Ok(None)
}

fn text<'a>(given: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ErrorAnswer> {
    match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(ErrorAnswer::wrong_type(other, "string")),
    }
}

fn show(side: &str, moment: Option<DateOrTime>, shown: &mut Map<String, Value>) {
    let day = moment.map(|moment| moment.day.to_string());
    let time = moment.and_then(|moment| Some(moment.time?.strftime("%H:%M:%S").to_string()));
    // Without a time, the whole has midnight, and in UTC only the day (podio.md 5.2).
    let whole = |midnight: &str| {
        let day = day.as_ref()?;
        Some(match &time {
            Some(time) => format!("{day} {time}"),
            None => format!("{day}{midnight}"),
        })
    };
    for (name, value) in [
        ("", whole(" 00:00:00")),
        ("_date", day.clone()),
        ("_time", time.clone()),
        ("_utc", whole("")),
        ("_date_utc", day.clone()),
        ("_time_utc", time.clone()),
    ] {
        shown.insert(format!("{side}{name}"), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_answered_whole_and_in_parts_however_it_was_written() {
        for given in [
            json!("2026-11-23 14:30:00"),
            json!({ "start": "2026-11-23 14:30:00" }),
            json!({ "start_utc": "2026-11-23 14:30:00", "end": null }),
            json!({ "start_date": "2026-11-23", "start_time": "14:30:00" }),
        ] {
            let date = read(&given).unwrap();
            assert_eq!(date["start"], "2026-11-23 14:30:00", "{given}");
            assert_eq!(date["start_date_utc"], "2026-11-23", "{given}");
            assert_eq!(date["start_time"], "14:30:00", "{given}");
            assert_eq!(date["end_utc"], Value::Null, "{given}");
            assert_eq!(read(&date).unwrap(), date, "{given}");
        }
        let day = read(&json!({ "start": "2026-11-23" })).unwrap();
        assert_eq!(day["start"], "2026-11-23 00:00:00");
        assert_eq!(day["start_utc"], "2026-11-23");
        assert_eq!(day["start_time"], Value::Null);
        assert_eq!(read(&day).unwrap(), day);
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for given in [
            json!("Monday"),
            json!({}),
            json!({ "start": 5 }),
            json!({ "end": "2026-11-23" }),
            json!({ "start": "2026-11-23", "end": "later" }),
            json!({ "start_date": "2026-11-23", "start_time": "25:00" }),
            json!(7),
        ] {
            assert_eq!(read(&given).unwrap_err().status, 400, "{given}");
        }
    }
}
