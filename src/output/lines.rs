//! One line an event, for people:
//! `12:04:31.204  item.update     item 4711 r8       →  200    38 ms  /podio/hook`. With a path as
//! short as that one it fits on 80 columns.
//!
//! Everything that came from outside passes `printable`: control characters are shown, not obeyed
//! (invariant 7).

use std::time::Duration;

use crate::output::printable;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use podtap_agent::history::{
    Attempt, AttemptSummary, DeliveryState, Event, EventRow, LoopFinding, Outcome, Verification,
};
use podtap_agent::{LinkState, Target};
use podtap_podio::{ObjectRef, PodioEvent};
use podtap_wire::{Seq, WebhookRequest};

/// The columns of a line.
struct Columns<'a> {
    /// The time of day, as precise as its place needs.
    time: String,
    /// Podio's type, or the method of what is no Podio event.
    kind: &'a str,
    object: Option<ObjectRef>,
    revision: Option<u64>,
    outcome: String,
    path: &'a str,
}

impl Columns<'_> {
    fn line(&self) -> String {
        let Self {
            time,
            kind,
            outcome,
            path,
            ..
        } = self;
        let mut object = self
            .object
            .map(|object| object.to_string())
            .unwrap_or_default();
        if let Some(revision) = self.revision {
            object.push_str(&format!(" r{revision}"));
        }
        let line = format!("{time}  {kind:14}  {object:18}  {outcome:15}  {path}");
        printable(line.trim_end())
    }
}

/// Characters of an id's end that stand for it in a listing, as in the terminal UI.
const TAIL: usize = 4;

/// An event of a listing, after the end of its id, by which other commands find it, with what came
/// of its last attempt.
pub(crate) fn event(row: &EventRow, zone: &TimeZone) -> String {
    let outcome = match (&row.last, row.state) {
        (Some(last), _) => outcome(last),
        (None, DeliveryState::Pending) => "…  waiting".to_owned(),
        (None, DeliveryState::Delivered | DeliveryState::Held) => HELD.to_owned(),
    };
    let columns = Columns {
        // Without milliseconds, which the id needs the room of.
        time: clock_as("%H:%M:%S", row.received_at, zone),
        kind: row.event_type.as_deref().unwrap_or(&row.method),
        object: row.object,
        revision: row.revision,
        outcome,
        path: &row.path,
    };
    let id = row.id.to_string();
    let tail = id.len().saturating_sub(TAIL);
    format!("{}  {}", id.get(tail..).unwrap_or(&id), columns.line())
}

/// An attempt that has just ended.
pub(crate) fn attempt(event: &Event, attempt: &Attempt, zone: &TimeZone) -> String {
    let summary = AttemptSummary {
        outcome: match &attempt.outcome {
            Outcome::Answered { status, .. } => Ok(*status),
            Outcome::Failed { error } => Err(error.clone()),
        },
        duration: attempt.duration,
        replay: attempt.replay,
    };
    of(
        &event.request,
        event.podio.as_ref(),
        outcome(&summary),
        zone,
    )
    .line()
}

/// A request that was made up here, with what came of it.
pub(crate) fn triggered(
    request: &WebhookRequest,
    podio: Option<&PodioEvent>,
    sent: &AttemptSummary,
    zone: &TimeZone,
) -> String {
    of(request, podio, outcome(sent), zone).line()
}

/// An event that is kept without being delivered.
pub(crate) fn held(event: &Event, zone: &TimeZone) -> String {
    of(&event.request, event.podio.as_ref(), HELD.to_owned(), zone).line()
}

const HELD: &str = "–  kept";

fn of<'a>(
    request: &'a WebhookRequest,
    podio: Option<&'a PodioEvent>,
    outcome: String,
    zone: &TimeZone,
) -> Columns<'a> {
    Columns {
        time: clock(request.received_at, zone),
        kind: podio.map_or(&request.method, |podio| podio.kind.as_str()),
        object: podio.and_then(PodioEvent::object),
        revision: podio.and_then(PodioEvent::revision),
        outcome,
        path: &request.path,
    }
}

fn outcome(attempt: &AttemptSummary) -> String {
    let sign = if attempt.replay { "↻" } else { "→" };
    match &attempt.outcome {
        Ok(status) => format!("{sign}  {status}  {:>7}", duration(attempt.duration)),
        Err(error) => format!("✗  {error}"),
    }
}

/// The first lines of a run, once the relay has given the public URL.
pub(crate) fn ready(url: &str, forwards_to: Option<&str>) -> [String; 3] {
    [
        format!("Public URL   {}", printable(url)),
        format!(
            "Forwards to  {}",
            forwards_to.unwrap_or("nowhere: events are only kept")
        ),
        format!("Give Podio   {}podio/hook", printable(url)),
    ]
}

/// A change of the link that a person wants to know of.
pub(crate) fn link(state: &LinkState) -> Option<String> {
    match state {
        LinkState::Off => None,
        LinkState::Up { .. } => Some("Connected to the relay".to_owned()),
        LinkState::Connecting { reason, .. } => reason
            .as_ref()
            .map(|reason| format!("The relay is away: {}; trying again", printable(reason))),
        LinkState::Stopped { reason } => Some(format!("The link ended: {}", printable(reason))),
    }
}

/// The local service went away.
pub(crate) fn service_down(
    since: Timestamp,
    zone: &TimeZone,
    reason: &str,
    target: &Target,
) -> String {
    let reason = printable(reason);
    format!("{}  ✗  {reason}, waiting for {target}", clock(since, zone))
}

/// What came of the validation of a `hook.verify`.
pub(crate) fn verified(
    event: &Event,
    hook_id: Option<u64>,
    verification: &Verification,
    zone: &TimeZone,
) -> String {
    let hook = hook_id.map_or("hook ?".to_owned(), |id| format!("hook {id}"));
    let outcome = match verification {
        Verification::Validated => "✓  validated".to_owned(),
        Verification::ActiveAnyway => "✓  active (the local service was first)".to_owned(),
        Verification::Failed { reason } => format!("✗  not validated: {reason}"),
    };
    let time = clock(event.request.received_at, zone);
    let line = format!(
        "{time}  {:14}  {hook:18}  {outcome:15}  {}",
        "hook.verify", event.request.path
    );
    printable(&line)
}

/// A loop, with its cure.
pub(crate) fn found(finding: &LoopFinding) -> [String; 2] {
    let (count, seconds) = (finding.times.len(), finding.span().as_secs_f64());
    let what = format!(
        "⚠  loop? {} fired hook {} {count}× in {seconds:.1} s",
        finding.object, finding.hook_id
    );
    [what, format!("   {}", printable(&finding.cure()))]
}

/// Events that a limit removed on the relay before this agent could take them.
pub(crate) fn gap(from: Seq, to: Seq, reason: &str) -> String {
    let count = to.0.saturating_sub(from.0).saturating_add(1);
    format!(
        "⚠  {count} events ({from} to {to}) were removed by the relay: {}",
        printable(reason)
    )
}

/// Milliseconds up to ten seconds, then seconds.
pub(crate) fn duration(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 0..10_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

/// The time of day where the reader is, to the millisecond.
pub(crate) fn clock(time: Timestamp, zone: &TimeZone) -> String {
    clock_as("%H:%M:%S%.3f", time, zone)
}

fn clock_as(form: &str, time: Timestamp, zone: &TimeZone) -> String {
    let local = time.to_zoned_datetime(zone.clone());
    local.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(path: &str) -> String {
        let columns = Columns {
            time: "12:04:31.204".to_owned(),
            kind: "item.update",
            object: None,
            revision: Some(8),
            outcome: "→  200    38 ms".to_owned(),
            path,
        };
        columns.line()
    }

    #[test]
    fn a_line_is_aligned_and_begins_with_the_time() {
        let line = columns("/podio/hook");
        assert!(line.starts_with("12:04:31.204  item.update     "), "{line}");
        assert!(line.ends_with("38 ms  /podio/hook"), "{line}");
        assert!(line.chars().count() <= 80, "{line}");
    }

    #[test]
    fn control_characters_of_an_event_are_shown_not_obeyed() {
        assert!(!columns("/\x1b[2J\u{202e}").contains(['\x1b', '\u{202e}']));
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(Duration::from_micros(38_400)), "38 ms");
        assert_eq!(duration(Duration::from_millis(9_999)), "9999 ms");
        assert_eq!(duration(Duration::from_millis(12_340)), "12.3 s");
    }
}
