//! Formats one line per event, for people:
//! `12:04:31.204  item.update     item 4711 r8       →  200    38 ms  /podio/hook`.
//! With a path as short as this one, the line fits in 80 columns.
//!
//! All text from outside passes `printable`: control
//! characters are shown, not obeyed (invariant 7).

use jiff::Timestamp;
use podtap_agent::amount::{count, duration};
use podtap_agent::history::{
    Attempt, AttemptSummary, Event, EventRow, HistoryGap, HookNews, Incident, LoopFinding, Outcome,
    Verification,
};
use podtap_agent::routes::Routes;
use podtap_agent::{CommandEnd, LinkState, Target, draft};
use podtap_podio::hook_url::Uncallable;
use podtap_podio::{ObjectRef, PodioEvent};
use podtap_wire::WebhookRequest;

use crate::output::printable;
use crate::style::{LineStyle, StyledLine, Tone};

/// The outcome of an event so far.
type EventResult = (Tone, String);

/// The columns of a line.
struct LineColumns<'a> {
    /// The time of day, as precise as the list needs.
    time: String,
    /// Podio's event type, or the HTTP method of a request that is not a Podio event.
    kind: &'a str,
    object: Option<ObjectRef>,
    /// The hook to be verified, if the event has no object.
    hook: Option<u64>,
    revision: Option<u64>,
    came: EventResult,
    path: &'a str,
}

impl LineColumns<'_> {
    fn line(&self, look: &LineStyle) -> StyledLine {
        let mut object = self
            .object
            .map(|object| object.to_string())
            .or_else(|| Some(format!("hook {}", self.hook?)))
            .unwrap_or_default();
        if let Some(revision) = self.revision {
            object.push_str(&format!(" r{revision}"));
        }
        let (time, kind) = (&self.time, self.kind);
        let (tone, came) = &self.came;
        look.line(&[
            (Tone::Plain, &format!("{time}  {kind:14}  {object:18}  ")),
            (*tone, &format!("{came:15}")),
            (Tone::Plain, &format!("  {}", self.path)),
        ])
    }
}

/// Number of characters at the end of an id that a listing shows, as in the terminal UI.
const TAIL: usize = 4;

/// How a listing shows its rows. Each line has the end of the event's id, by which other commands
/// find it, and the outcome of the last attempt.
pub(crate) struct Listing<'a> {
    now: Timestamp,
    /// Whether rows of other days show the date: if any row is not of today.
    is_dated: bool,
    look: &'a LineStyle,
}

impl<'a> Listing<'a> {
    /// Creates a listing of rows with these times.
    pub(crate) fn of(times: impl IntoIterator<Item = Timestamp>, look: &'a LineStyle) -> Self {
        let now = Timestamp::now();
        let mut times = times.into_iter();
        let is_dated = times.any(|at| !look.is_same_day(at, now));
        Self {
            now,
            is_dated,
            look,
        }
    }

    pub(crate) fn event(&self, row: &EventRow) -> StyledLine {
        event(row, &self.time(row.received_at), self.look)
    }

    pub(crate) fn gap(&self, gap: &HistoryGap) -> StyledLine {
        listed_gap(gap, &self.time(gap.found_at), self.look)
    }

    /// Without milliseconds, to make room for the id.
    fn time(&self, at: Timestamp) -> String {
        let is_today = self.look.is_same_day(at, self.now);
        match (self.is_dated, is_today) {
            (false, _) => self.look.time("%H:%M:%S", at),
            (true, true) => format!("{:>12}", self.look.time("%H:%M:%S", at)),
            (true, false) => self.look.time("%e %b %H:%M", at),
        }
    }
}

/// Formats a gap. It has no id, and the command that looks for the lost webhooks replaces the path.
fn listed_gap(gap: &HistoryGap, time: &str, look: &LineStyle) -> StyledLine {
    let many = gap.count().map(|many| count(many, "webhook"));
    let many = many.unwrap_or_else(|| "how many unknown".to_owned());
    let (reason, cure) = (gap.reason(), gap.cure());
    look.line(&[
        (
            Tone::Plain,
            &format!("{:TAIL$}  {time}  {:14}  {many:18}  ", "", "gap"),
        ),
        (
            Tone::Doubtful,
            &format!("{:15}", format!("⚠  {}", gap.word())),
        ),
        (Tone::Plain, &format!("  {reason}; {cure} looks for them")),
    ])
}

fn event(row: &EventRow, time: &str, look: &LineStyle) -> StyledLine {
    let came = match (row.outcome(), &row.insight.verification) {
        // The response of the local service does not say whether Podio accepted the validation.
        (_, Some(verification)) => validation(verification),
        (Some(last), _) => outcome(last),
        (None, _) => (Tone::Plain, row.state.word(row.insight.hold).to_owned()),
    };
    let id = row.id.to_string();
    let tail = id.len().saturating_sub(TAIL);
    let columns = LineColumns {
        time: format!("{}  {time}", id.get(tail..).unwrap_or(&id)),
        kind: row.event_type.as_deref().unwrap_or(&row.method),
        object: row.object,
        hook: row.hook_id,
        revision: row.revision,
        came,
        path: &row.path,
    };
    columns.line(look)
}

/// Formats an attempt that has just ended.
pub(crate) fn attempt(event: &Event, attempt: &Attempt, look: &LineStyle) -> StyledLine {
    let summary = AttemptSummary {
        outcome: match &attempt.outcome {
            Outcome::Answered { status, .. } => Ok(*status),
            Outcome::Failed { error } => Err(error.clone()),
        },
        duration: attempt.duration,
        replay: attempt.replay,
    };
    let came = match CommandEnd::of(attempt).filter(|end| !end.is_success()) {
        Some(end) => (Tone::Bad, format!("✗  {end}")),
        None => outcome(&summary),
    };
    of(&event.request, event.podio.as_ref(), came, look).line(look)
}

/// Formats a made-up request and its outcome.
pub(crate) fn triggered_event(
    request: &WebhookRequest,
    podio: Option<&PodioEvent>,
    sent: &AttemptSummary,
    look: &LineStyle,
) -> StyledLine {
    of(request, podio, outcome(sent), look).line(look)
}

/// Formats a stored event that is not delivered.
pub(crate) fn held_event(event: &Event, look: &LineStyle) -> StyledLine {
    let word = event.state.word(event.insight.hold);
    let came = (Tone::Plain, word.to_owned());
    of(&event.request, event.podio.as_ref(), came, look).line(look)
}

fn of<'a>(
    request: &'a WebhookRequest,
    podio: Option<&'a PodioEvent>,
    came: EventResult,
    look: &LineStyle,
) -> LineColumns<'a> {
    LineColumns {
        time: look.clock(request.received_at),
        kind: podio.map_or(&request.method, |podio| podio.kind.as_str()),
        object: podio.and_then(PodioEvent::object),
        hook: podio.and_then(|podio| podio.hook_id),
        revision: podio.and_then(PodioEvent::revision),
        came,
        path: &request.path,
    }
}

fn outcome(attempt: &AttemptSummary) -> EventResult {
    let sign = if attempt.replay { "↻" } else { "→" };
    match &attempt.outcome {
        Ok(status) => {
            let text = format!("{sign}  {status}  {:>7}", duration(attempt.duration));
            (Tone::of_status(*status), text)
        }
        Err(error) => (Tone::Bad, format!("✗  {error}")),
    }
}

fn not_validated(reason: &str) -> String {
    format!("✗  not validated: {reason}")
}

/// Returns the first lines of a run, printed once the relay has sent the public URL.
pub(crate) fn ready(url: &str, routes: &Routes, uncallable: Option<&Uncallable>) -> Vec<String> {
    let nowhere = if routes.list().is_empty() {
        "nowhere: events are only recorded; `podtap replay` delivers them later"
    } else {
        "only by the routes; other events are only recorded"
    };
    let forwards_to = routes.rest().map(ToString::to_string);
    let forwards_to = forwards_to.as_deref().unwrap_or(nowhere);
    let mut lines = vec![
        format!("Public URL   {}", printable(url)),
        format!("Forwards to  {}", printable(forwards_to)),
    ];
    lines.extend(
        routes
            .list()
            .iter()
            .map(|route| format!("Route        {}", printable(&route.to_string()))),
    );
    lines.push(give_podio(url, uncallable));
    lines
}

/// Formats the URL of the web page.
pub(crate) fn web_page(url: &str) -> String {
    format!("Web page     {}", printable(url))
}

/// Returns what to enter in Podio, if Podio can call the URL.
fn give_podio(url: &str, uncallable: Option<&Uncallable>) -> String {
    match uncallable {
        None => format!("Give Podio   {}", printable(&draft::hook_url(url))),
        Some(Uncallable::ThisMachine(_)) => {
            "Give Podio   nothing yet: Podio cannot call this machine. With a relay: --relay URL"
                .to_owned()
        }
        Some(why) => printable(&format!("Give Podio   nothing yet: {why}; {}", why.cure())),
    }
}

/// Formats the tunnel's new public URL.
pub(crate) fn new_url(url: &str) -> String {
    format!("New URL      {}  (it has changed)", printable(url))
}

/// Formats a change of the link that the person should know about.
pub(crate) fn link(state: &LinkState) -> Option<String> {
    match state {
        LinkState::Off => None,
        LinkState::Up { .. } => Some("Connected to the relay".to_owned()),
        LinkState::Connecting { reason, .. } => reason
            .as_ref()
            .map(|reason| format!("Cannot reach the relay: {}; retrying", printable(reason))),
        LinkState::Stopped { reason } => Some(format!("The link ended: {}", printable(reason))),
    }
}

/// Reports that the local service cannot be reached.
pub(crate) fn service_down(
    since: Timestamp,
    look: &LineStyle,
    reason: &str,
    target: &Target,
) -> StyledLine {
    look.line(&[
        (Tone::Plain, &format!("{}  ", look.clock(since))),
        (Tone::Bad, &format!("✗  {reason}")),
        (Tone::Plain, &format!(", waiting for {target}")),
    ])
}

/// Formats the outcome of a validation.
pub(crate) fn validation(verification: &Verification) -> EventResult {
    match verification {
        Verification::Validated => (Tone::Good, "✓  validated".to_owned()),
        Verification::ActiveAnyway => {
            let text = "✓  active (the local service was first)";
            (Tone::Good, text.to_owned())
        }
        Verification::Failed { reason } => (Tone::Bad, not_validated(reason)),
    }
}

/// Reports that the local service can be reached again.
pub(crate) fn service_up(since: Timestamp, look: &LineStyle, target: &Target) -> StyledLine {
    look.line(&[
        (Tone::Plain, &format!("{}  ", look.clock(since))),
        (Tone::Good, "✓"),
        (Tone::Plain, &format!("  {target} answers again")),
    ])
}

/// Formats the outcome of the validation of a `hook.verify`.
pub(crate) fn verification(
    event: &Event,
    hook_id: Option<u64>,
    verification: &Verification,
    look: &LineStyle,
) -> StyledLine {
    let hook = hook_id.map_or("hook ?".to_owned(), |id| format!("hook {id}"));
    let (tone, came) = validation(verification);
    let time = look.clock(event.request.received_at);
    look.line(&[
        (
            Tone::Plain,
            &format!("{time}  {:14}  {hook:18}  ", "hook.verify"),
        ),
        (tone, &format!("{came:15}")),
        (Tone::Plain, &format!("  {}", event.request.path)),
    ])
}

/// Formats a loop: its cause and its cure.
pub(crate) fn loop_finding(finding: &LoopFinding, look: &LineStyle) -> [StyledLine; 3] {
    let (tone, sign) = if finding.is_suspected() {
        (Tone::Doubtful, "⚠  loop?")
    } else {
        (Tone::Plain, "·  busy:")
    };
    let what = format!("{sign} {}, {}", finding.words(), finding.pace());
    [
        look.line(&[(tone, &what)]),
        look.plain(&format!("   {}", finding.maker)),
        look.plain(&format!("   {}", finding.cure())),
    ]
}

/// Formats an incident: lost events, or a clock that was changed.
pub(crate) fn incident(incident: &Incident, look: &LineStyle) -> StyledLine {
    let hint = incident
        .hint()
        .map_or(String::new(), |hint| format!("; {hint}"));
    look.line(&[(Tone::Doubtful, &format!("⚠  {incident}{hint}"))])
}

/// Formats a change of a hook, and what to do.
pub(crate) fn hook_news(news: &HookNews, look: &LineStyle) -> StyledLine {
    let (sign, tone) = if news.state.is_good() {
        ("✓", Tone::Plain)
    } else {
        ("⚠", Tone::Doubtful)
    };
    let cure = news
        .cure()
        .map_or_else(String::new, |cure| format!("; {cure}"));
    look.line(&[(tone, &format!("{sign}  {news}{cure}"))])
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn columns(path: &str) -> String {
        let columns = LineColumns {
            time: "12:04:31.204".to_owned(),
            kind: "item.update",
            object: None,
            hook: None,
            revision: Some(8),
            came: (Tone::Good, "→  200    38 ms".to_owned()),
            path,
        };
        let look = LineStyle {
            zone: TimeZone::UTC,
            coloured: false,
        };
        columns.line(&look).as_str().to_owned()
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
}
