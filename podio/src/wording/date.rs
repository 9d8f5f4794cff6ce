//! Formats dates, with a time if there is one.
//!
//! Podio sends `start` and `end` as `YYYY-MM-DD HH:MM:SS`, with midnight
//! if there is no time. Newer responses also contain date and time
//! separately, with a null for no time, and everything again in UTC.

use serde_json::Value;

use super::members::{inner, member, to_text};

/// A day, and a time if there is one.
#[derive(PartialEq, Eq)]
struct WordedDate {
    day: String,
    time: Option<String>,
}

/// Formats a date or a span of time. A value of an unexpected type is shown as text.
pub(super) fn words(value: &Value, settings: &Value) -> String {
    read(value, settings).unwrap_or_else(|| to_text(inner(value)))
}

/// Formats a date; returns `None` if there is none.
pub(super) fn read(value: &Value, settings: &Value) -> Option<String> {
    let has_time = setting_allows_time(settings);
    let start = moment(value, "start", has_time);
    let end = moment(value, "end", has_time);
    let show = |moment: &WordedDate| match &moment.time {
        Some(time) => format!("{} {time}", moment.day),
        None => moment.day.clone(),
    };
    match (start, end) {
        (Some(start), Some(end)) if start == end => Some(show(&start)),
        (Some(start), Some(end)) => {
            let end = match &end.time {
                Some(time) if start.day == end.day && start.time.is_some() => time.clone(),
                _ => show(&end),
            };
            Some(format!("{} – {end}", show(&start)))
        }
        (Some(start), None) => Some(show(&start)),
        (None, Some(end)) => Some(format!("– {}", show(&end))),
        (None, None) => None,
    }
}

/// Returns whether the settings allow a field to have a time.
fn setting_allows_time(settings: &Value) -> bool {
    member(settings, "time").and_then(Value::as_str) != Some("disabled")
}

fn moment(value: &Value, side: &str, has_time: bool) -> Option<WordedDate> {
    let text = |name: String| member(value, &name).and_then(Value::as_str);
    let utc = format!("{side}_utc");
    let whole = text(side.to_owned())
        .or_else(|| text(utc))
        .unwrap_or_default();
    let (day, time) = match whole.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (whole, None),
    };
    let day = match text(format!("{side}_date")) {
        _ if !day.is_empty() => day,
        Some(day) => day,
        None => text(format!("{side}_date_utc"))?,
    };
    // If date and time are separate, null means no time, and midnight is a time.
    let part = format!("{side}_time");
    let time = match value.get(&part) {
        Some(Value::Null) => None,
        Some(told) => told.as_str().or(time),
        None => time.filter(|time| *time != "00:00:00"),
    };
    Some(WordedDate {
        day: day.to_owned(),
        time: time.filter(|_| has_time).map(without_seconds),
    })
}

fn without_seconds(time: &str) -> String {
    let whole_minutes = time.len() == "HH:MM:SS".len();
    let short = time.strip_suffix(":00").filter(|_| whole_minutes);
    short.unwrap_or(time).to_owned()
}
