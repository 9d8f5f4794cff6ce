//! Summarizes an event: what happened, to which object, and the outcome of the delivery.

use jiff::tz::TimeZone;
use podtap_agent::history::{
    Attempt, DeliveryState, Event, HoldReason, Insight, Outcome, Verification,
};
use podtap_agent::{Explanation, remark};
use podtap_podio::{EventKind, PodioEvent};

use super::diff::change;
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;
use crate::words;

/// Maximum number of changed fields to show.
const MOST_CHANGES: usize = 3;

/// Returns the lines of the tab Summary.
pub(super) fn sheet(
    event: &Event,
    attempts: &[Attempt],
    explanation: Option<&Explanation>,
    zone: &TimeZone,
) -> Vec<Line> {
    let mut lines = event.podio.as_ref().map(podio).unwrap_or_default();
    if event.podio.is_none() {
        lines.push(Line::of(Role::Strong, "Not a Podio event"));
    }
    lines.extend(explanation.into_iter().flat_map(change_lines));
    lines.extend(found_out(&event.insight));
    if let Some(note) = &event.note {
        lines.push(field("✎ note", Role::Strong, note));
    }
    lines.push(Line::new());
    let request = &event.request;
    lines.push(field(
        "received",
        Role::Plain,
        words::full_time(request.received_at, zone),
    ));
    lines.push(field("path", Role::Plain, &request.path));
    let bytes = u64::try_from(request.body.len()).unwrap_or(u64::MAX);
    lines.push(field("body", Role::Plain, words::size(bytes)));
    if let Some(peer) = request.peer {
        lines.push(field("from", Role::Plain, peer.to_string()));
    }
    if event.seq.is_none() {
        lines.push(field("origin", Role::Plain, "triggered or imported here"));
    }
    lines.push(field("id", Role::Plain, event.id.to_string()));
    if let Some(seq) = event.place_in_queue() {
        lines.push(field("seq", Role::Quiet, seq.to_string()));
    }
    lines.push(Line::new());
    lines.extend(delivery(event, attempts));
    lines
}

fn podio(podio: &PodioEvent) -> Vec<Line> {
    let meaning = match &podio.kind {
        EventKind::Known(event) => event.spec().summary,
        EventKind::Other(_) => "a type that this version does not know",
    };
    let mut lines = vec![Line::of(Role::Strong, sentence(meaning)), Line::new()];
    lines.push(field("type", Role::Name, podio.kind.as_str()));
    if let Some(hook) = podio.hook_id {
        lines.push(field("hook", Role::Number, hook.to_string()));
    }
    if let Some(object) = podio.object() {
        let mut line = field(object.kind.as_str(), Role::Number, object.id.to_string());
        if let Some(revision) = podio.revision() {
            line = line.with(Role::Quiet, format!("  revision {revision}"));
        }
        lines.push(line);
    }
    for name in [
        "external_id",
        "comment_id",
        "file_ids",
        "action_type",
        "code",
    ] {
        if let Some(value) = podio.param(name) {
            lines.push(field(name, Role::Plain, value));
        }
    }
    lines
}

/// Returns a short form of Podio's explanation. The tab Diff has the full one.
fn change_lines(explanation: &Explanation) -> Vec<Line> {
    let title = explanation.title.iter();
    let mut lines: Vec<Line> = title
        .map(|title| field("title", Role::Strong, title))
        .collect();
    // The title is already shown above the changes.
    let above = explanation.title.as_deref().unwrap_or_default();
    let changes: Vec<_> = explanation
        .changes
        .iter()
        .filter(|change| !change.repeats(above))
        .collect();
    for (index, changed) in changes.iter().take(MOST_CHANGES).enumerate() {
        let label = if index == 0 { "changed" } else { "" };
        let line = field(label, Role::Name, &changed.field).space(2);
        lines.push(line.join(change(changed)));
    }
    if let more @ 1.. = changes.len().saturating_sub(MOST_CHANGES) {
        lines.push(field(
            "",
            Role::Quiet,
            format!("and {more} more fields; see Diff"),
        ));
    }
    lines
}

/// Returns what the agent found out in addition to the event's own content.
fn found_out(insight: &Insight) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(place) = &insight.place {
        let name = place.name.as_deref().unwrap_or_default();
        let line = field("made on", Role::Plain, name);
        let gap = if name.is_empty() { "" } else { "  " };
        lines.push(line.with(Role::Quiet, format!("{gap}{}", place.at)));
    }
    if let Some(verification) = &insight.verification {
        let (role, text) = words::verification_text(verification);
        let line = field("validation", role, text);
        lines.push(match verification {
            Verification::Failed { reason } => line.with(Role::Plain, format!(": {reason}")),
            Verification::ActiveAnyway => {
                line.with(Role::Quiet, "  another program sent the code first")
            }
            Verification::Validated => line,
        });
    }
    let remarks = remark::of(insight).into_iter();
    lines.extend(remarks.map(|remark| field(remark.label, Role::Warning, remark.words)));
    lines
}

fn delivery(event: &Event, attempts: &[Attempt]) -> Vec<Line> {
    let Some(last) = attempts.last() else {
        return vec![match (event.state, event.insight.hold) {
            (DeliveryState::Held, Some(HoldReason::Loop)) => {
                field("delivery", Role::Warning, "◦ held: its object is in a loop")
            }
            (DeliveryState::Held, Some(HoldReason::Verify)) => {
                field("delivery", Role::Quiet, "◦ held: not for the local service")
            }
            (DeliveryState::Held, Some(HoldReason::NoRoute)) => {
                field("delivery", Role::Quiet, "◦ held: no route takes it")
            }
            (DeliveryState::Held, None) if event.seq.is_none() => {
                field("delivery", Role::Quiet, "◦ not sent yet")
            }
            (DeliveryState::Held, None) => field(
                "delivery",
                Role::Quiet,
                "◦ held: there was no local service",
            ),
            _ => field("delivery", Role::Waiting, "… waiting for the local service"),
        }];
    };
    let (role, outcome) = match &last.outcome {
        Outcome::Answered { status, .. } => words::status_outcome(*status),
        Outcome::Failed { error } => (Role::Failed, format!("✗ {error}")),
    };
    let took = format!("  {}", words::duration(last.duration));
    let mut lines = vec![field("delivery", role, outcome).with(Role::Quiet, took)];
    let many = u64::try_from(attempts.len()).unwrap_or(u64::MAX);
    let replays = attempts.iter().filter(|attempt| attempt.replay).count();
    let replays = u64::try_from(replays).unwrap_or(u64::MAX);
    let mut counted = words::count(many, "attempt");
    if replays > 0 {
        counted = format!("{counted}, {}", words::count(replays, "replay"));
    }
    lines.push(field("", Role::Quiet, counted));
    if event.state == DeliveryState::Pending {
        lines.push(field("", Role::Waiting, "… waiting for another answer"));
    }
    lines
}

/// Returns the end of a sentence as a sentence of its own.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Returns a line with a label and its value.
fn field(label: &str, role: Role, value: impl Into<SafeText>) -> Line {
    Line::new()
        .column(Role::Quiet, label, LABEL)
        .with(role, value)
        .hanging(LABEL)
}

/// Cells of a label.
const LABEL: usize = 14;
