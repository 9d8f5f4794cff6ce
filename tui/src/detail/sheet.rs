//! An event laid out: every tab as finished lines for one width. Made by the executor, off the
//! loop, because a body may be large; afterwards drawing and scrolling only count lines.

use jiff::tz::TimeZone;
use podtap_agent::history::{Attempt, Event, Outcome};
use podtap_agent::{Explanation, HeaderList};
use podtap_podio::{EventKind, ParameterKind};

use super::{Tab, attempts, body, diff, summary};
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;
use crate::words;

/// All that is known of an event.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    /// The event.
    pub(crate) event: Event,
    /// Its attempts, oldest first.
    pub(crate) attempts: Vec<Attempt>,
    /// What Podio told of it before.
    pub(crate) explanation: Option<Explanation>,
}

/// An event with everything that its tabs show.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    /// The event.
    pub(crate) event: Event,
    /// The cells of a line for which the sheets are laid out.
    pub(crate) width: usize,
    sheets: [Vec<Line>; 6],
}

impl Opened {
    /// Lays an event out for lines of `width` cells.
    pub(crate) fn new(story: Story, width: usize, zone: &TimeZone) -> Self {
        let Story {
            event,
            attempts,
            explanation,
        } = story;
        let attempts = attempts.as_slice();
        let sheets = [
            summary::sheet(&event, attempts, explanation.as_ref(), zone),
            params(&event),
            request(&event, width),
            response(attempts.last(), width),
            attempts::sheet(attempts, zone),
            diff::sheet(explanation.as_ref()),
        ];
        let sheets = sheets.map(|sheet| {
            sheet
                .into_iter()
                .flat_map(|line| line.wrap(width))
                .collect()
        });
        Self {
            event,
            width,
            sheets,
        }
    }

    /// The lines of a tab.
    pub(crate) fn sheet(&self, tab: Tab) -> &[Line] {
        self.sheets.get(tab.index()).map_or(&[], Vec::as_slice)
    }
}

/// A label and its value.
pub(super) fn field(label: &str, role: Role, value: impl Into<SafeText>) -> Line {
    Line::new()
        .column(Role::Quiet, label, LABEL)
        .put(role, value)
}

/// Cells of a label.
const LABEL: usize = 14;

/// The form's fields with what the catalogue knows of each.
fn params(event: &Event) -> Vec<Line> {
    let Some(podio) = &event.podio else {
        return vec![Line::of(
            Role::Quiet,
            "The body is no form of Podio's; see Request.",
        )];
    };
    let names = podio
        .params
        .iter()
        .map(|(name, _)| SafeText::new(name).width());
    let width = names.max().unwrap_or(0).clamp(8, 28);
    let line = |(name, value): &(String, String)| {
        Line::new()
            .column(Role::Name, name, width + 2)
            .put(Role::Plain, value)
            .put(Role::Quiet, kind(&podio.kind, name))
    };
    podio.params.iter().map(line).collect()
}

fn kind(event: &EventKind, name: &str) -> &'static str {
    let EventKind::Known(event) = event else {
        return "";
    };
    let parameters = event.spec().parameters.iter();
    match parameters
        .clone()
        .find(|parameter| parameter.name == name)
        .map(|found| found.kind)
    {
        Some(ParameterKind::Id) => "  id",
        Some(ParameterKind::Revision) => "  the item's revision",
        Some(ParameterKind::Text) => "  text",
        Some(ParameterKind::List) => "  list",
        Some(ParameterKind::Code) => "  validation code",
        None if matches!(name, "type" | "hook_id") => "",
        None => "  from the hook's URL, or new",
    }
}

fn request(event: &Event, width: usize) -> Vec<Line> {
    let request = &event.request;
    let mut lines = vec![
        Line::of(Role::Strong, &request.method)
            .space(1)
            .put(Role::Plain, &request.path),
    ];
    lines.extend(headers(&request.headers));
    lines.push(Line::new());
    lines.extend(body::lines(&request.headers, &request.body, width));
    lines
}

fn response(last: Option<&Attempt>, width: usize) -> Vec<Line> {
    let Some(attempt) = last else {
        return vec![Line::of(Role::Quiet, "No attempt has ended yet.")];
    };
    let took = words::duration(attempt.duration);
    match &attempt.outcome {
        Outcome::Failed { error } => vec![
            Line::of(Role::Failed, format!("✗ {error}")),
            Line::of(Role::Quiet, format!("after {took}, from {}", attempt.url)),
        ],
        Outcome::Answered {
            status,
            headers: sent,
            body,
            body_bytes,
        } => {
            let (role, status) = words::status_outcome(*status);
            let about = format!("  {took} · {}", words::size(*body_bytes));
            let mut lines = vec![Line::of(role, status).put(Role::Quiet, about)];
            lines.extend(headers(sent));
            lines.push(Line::new());
            lines.extend(body::lines(sent, body, width));
            let kept = u64::try_from(body.len()).unwrap_or(u64::MAX);
            if kept < *body_bytes {
                let kept = format!("The history kept the first {}.", words::size(kept));
                lines.push(Line::of(Role::Quiet, kept));
            }
            lines
        }
    }
}

fn headers(headers: &HeaderList) -> impl Iterator<Item = Line> {
    headers.iter().map(|(name, value)| {
        Line::of(Role::Name, name)
            .put(Role::Quiet, ": ")
            .put(Role::Plain, SafeText::from_bytes(value).as_str())
    })
}
