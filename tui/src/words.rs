//! Formats times, durations, numbers and names, in the same way everywhere on the screen. Pure: the
//! time and the zone are arguments.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
pub(crate) use podtap_agent::amount::{count, duration, number, size};
use podtap_agent::history::{
    Attempt, AttemptSummary, Burst, DeliveryState, Event, EventRow, Outcome, Verification,
};
use podtap_agent::{EventId, Status, amount, draft};

use crate::theme::Role;

/// Formats a local service for the screen.
pub(crate) fn target(target: &podtap_agent::Target) -> String {
    let text = target.to_string();
    text.strip_prefix("http://").unwrap_or(&text).to_owned()
}

/// Formats the time of an event for a list: the time of day, with the date if it is not today;
/// for another year, only the date.
pub(crate) fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (
        at.to_zoned_datetime(zone.clone()),
        now.to_zoned_datetime(zone.clone()),
    );
    let format = if at.date() == now.date() {
        "%H:%M:%S"
    } else if at.year() == now.year() {
        "%d %b %H:%M"
    } else {
        "%d %b %Y"
    };
    at.strftime(format).to_string()
}

/// Formats a time in full, with its zone.
pub(crate) fn full_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S%.3f %Z")
        .to_string()
}

/// Formats the time since `then`, in its largest unit.
pub(crate) fn since(then: Timestamp, now: Timestamp) -> String {
    let time = now.duration_since(then);
    if time.as_secs() < 1 {
        return "now".to_owned();
    }
    amount::age(time)
}

/// Shortens an id to its last characters, which commands also accept.
pub(crate) fn short_id(id: EventId) -> String {
    let id = id.to_string();
    let tail: Vec<char> = id.chars().rev().take(4).collect();
    let head: String = id.chars().take(4).collect();
    format!("{head}…{}", tail.iter().rev().collect::<String>())
}

/// Returns the name of an event: its type, and what it is about.
pub(crate) fn event(row: &EventRow) -> String {
    let Some(kind) = &row.event_type else {
        return format!("{} {}", row.method, row.path);
    };
    format!("{kind} {}", about(row)).trim_end().to_owned()
}

/// Returns what an event is about: object and revision, otherwise the hook.
pub(crate) fn about(row: &EventRow) -> String {
    match (row.object, row.revision, row.hook_id) {
        (Some(object), Some(revision), _) => format!("{object} r{revision}"),
        (Some(object), None, _) => object.to_string(),
        (None, _, Some(hook)) => format!("hook {hook}"),
        (None, _, None) => String::new(),
    }
}

/// Returns the name of a burst.
pub(crate) fn burst(row: &EventRow) -> String {
    format!(
        "a burst of {}",
        row.event_type.as_deref().unwrap_or("events")
    )
}

/// Returns the same as [`event`], for an event that was read completely.
pub(crate) fn whole_event(event: &Event) -> String {
    let Some(podio) = &event.podio else {
        return format!("{} {}", event.request.method, event.request.path);
    };
    let kind = podio.kind.as_str();
    match (podio.object(), podio.revision(), podio.hook_id) {
        (Some(object), Some(revision), _) => format!("{kind} {object} r{revision}"),
        (Some(object), None, _) => format!("{kind} {object}"),
        (None, _, Some(hook)) => format!("{kind} hook {hook}"),
        (None, _, None) => kind.to_owned(),
    }
}

/// Returns the URL to enter at Podio: the tunnel's URL with a path below it.
pub(crate) fn hook_url(status: &Status) -> Option<String> {
    status.public_url.as_deref().map(draft::hook_url)
}

/// Returns whether this URL is on this machine, so that Podio cannot call it.
pub(crate) fn is_local(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_matches(['[', ']']);
    let is_loopback = name
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    is_loopback || name == "localhost" || name.ends_with(".localhost")
}

/// Returns the current outcome of an event. Sign, word and role have the same meaning.
pub(crate) fn outcome(row: &EventRow) -> (Role, String) {
    if let Some(verification) = &row.insight.verification {
        return verification_text(verification);
    }
    if let Some(attempt) = row.outcome() {
        return attempt_outcome(attempt);
    }
    let role = match row.state {
        DeliveryState::Held => Role::Quiet,
        DeliveryState::Pending | DeliveryState::Delivered => Role::Waiting,
    };
    (role, row.state.word(row.insight.hold).to_owned())
}

/// Returns the current outcome of a burst.
pub(crate) fn burst_outcome(burst: &Burst) -> (Role, String) {
    let waiting = burst.events.saturating_sub(burst.answered + burst.failed);
    match (burst.failed, waiting) {
        (0, 0) => (Role::Ok, "✓ all".to_owned()),
        (0, waiting) => (Role::Waiting, format!("… {} open", number(waiting))),
        (failed, _) => (Role::Failed, format!("✗ {} failed", number(failed))),
    }
}

/// Returns the outcome of a validation.
pub(crate) fn verification_text(verification: &Verification) -> (Role, String) {
    let (role, text) = match verification {
        Verification::Validated => (Role::Ok, "✓ validated"),
        Verification::ActiveAnyway => (Role::Ok, "✓ active"),
        Verification::Failed { .. } => (Role::Failed, "✗ not valid"),
    };
    (role, text.to_owned())
}

fn attempt_outcome(attempt: &AttemptSummary) -> (Role, String) {
    match &attempt.outcome {
        Ok(status) => status_outcome(*status),
        Err(error) => {
            let short = error.strip_prefix("connection ").unwrap_or(error);
            (Role::Failed, format!("✗ {short}"))
        }
    }
}

/// Returns a status with its sign.
pub(crate) fn status_outcome(status: u16) -> (Role, String) {
    match status {
        200..=299 => (Role::Ok, format!("✓ {status}")),
        100..=399 => (Role::Plain, format!("→ {status}")),
        400..=499 => (Role::Warning, format!("! {status}")),
        _ => (Role::Failed, format!("✗ {status}")),
    }
}

/// Returns the outcome of an attempt.
pub(crate) fn outcome_and_time(attempt: &Attempt) -> (Role, String) {
    match &attempt.outcome {
        Outcome::Answered { status, .. } => {
            let (role, status) = status_outcome(*status);
            let took = duration(attempt.duration);
            (role, format!("{status} in {took}"))
        }
        Outcome::Failed { error } => (Role::Failed, format!("✗ {error}")),
    }
}

/// Shortens a URL in its middle, so that the host and the last characters of
/// the key can still be recognized.
pub(crate) fn shorten_url(url: &str, room: usize) -> String {
    let chars: Vec<char> = url.chars().collect();
    if chars.len() <= room {
        return url.to_owned();
    }
    let tail = room / 4;
    let head = room.saturating_sub(tail + 1);
    let start = chars.iter().take(head);
    let end = chars.iter().skip(chars.len() - tail);
    start.chain(&['…']).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_url_keeps_its_host_and_its_end() {
        let url = "https://hooks.example.com/k3v9abcdefghijklmnopqrx2qa";
        assert_eq!(shorten_url(url, 100), url);
        assert_eq!(
            shorten_url(url, 41),
            "https://hooks.example.com/k3v9…mnopqrx2qa"
        );
    }

    #[test]
    fn a_url_of_this_machine_is_none_that_podio_can_call() {
        for (url, is) in [
            ("http://127.0.0.1:7638/k/", true),
            ("http://localhost/k/", true),
            ("http://[::1]:80/", true),
            ("https://hooks.example.com/k/", false),
            ("http://203.0.113.9:443/", false),
        ] {
            assert_eq!(is_local(url), is, "{url}");
        }
    }

    #[test]
    fn events_of_other_days_show_the_day() {
        let zone = TimeZone::UTC;
        let now: Timestamp = "2026-11-23T12:04:32Z".parse().unwrap();
        let earlier: Timestamp = "2026-11-21T23:59:59Z".parse().unwrap();
        assert_eq!(moment(now, now, &zone), "12:04:32");
        assert_eq!(moment(earlier, now, &zone), "21 Nov 23:59");
        let other_year = "2025-11-21T23:59:59Z".parse().unwrap();
        assert_eq!(moment(other_year, now, &zone), "21 Nov 2025");
        assert_eq!(since(earlier, now), "36 h");
    }
}
