//! An event laid out: every tab as finished rows for one [`Look`]. Made by the executor, off the
//! loop, because a body may be large; afterwards drawing and scrolling only count lines.

use jiff::tz::TimeZone;
use podtap_agent::history::{Attempt, Event, Outcome};
use podtap_agent::{Explanation, HeaderList};
use podtap_podio::{EventKind, ParameterKind};

use super::look::Look;
use super::rows::Rows;
use super::{Tab, attempts, body, diff, json, summary};
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
    /// How it is laid out.
    pub(crate) look: Look,
    /// Whether Podio told of it before.
    pub(crate) is_explained: bool,
    /// Whether the bodies of Request and Response are JSON.
    are_json: [bool; 2],
    sheets: [Rows; 6],
}

impl Opened {
    /// Lays an event out.
    pub(crate) fn new(story: Story, look: Look, zone: &TimeZone) -> Self {
        let Story {
            event,
            attempts,
            explanation,
        } = story;
        let attempts = attempts.as_slice();
        let answer = match attempts.last().map(|attempt| &attempt.outcome) {
            Some(Outcome::Answered { body, .. }) => &body[..],
            _ => b"",
        };
        let are_json = [json::is_json(&event.request.body), json::is_json(answer)];
        let sheets = [
            Sheet::of(summary::sheet(&event, attempts, explanation.as_ref(), zone)),
            Sheet::of(params(&event)),
            request(&event, look),
            response(attempts.last(), look),
            Sheet::of(attempts::sheet(attempts, zone)),
            Sheet::of(diff::sheet(explanation.as_ref())),
        ];
        Self {
            sheets: sheets.map(|sheet| Rows::lay_out(sheet.lines, look).with_body(sheet.body)),
            is_explained: explanation.is_some(),
            event,
            look,
            are_json,
        }
    }

    /// The rows of a tab.
    pub(crate) fn sheet(&self, tab: Tab) -> &Rows {
        self.sheets.get(tab.index()).unwrap_or_else(|| Rows::none())
    }

    /// Whether the body in this tab is JSON.
    pub(super) fn is_json(&self, tab: Tab) -> bool {
        let [request, response] = self.are_json;
        if tab == Tab::Response {
            response
        } else {
            request
        }
    }
}

/// A tab before it is laid out, and the line that says which form its body has.
struct Sheet {
    lines: Vec<Line>,
    body: Option<usize>,
}

impl Sheet {
    /// One without a body.
    fn of(lines: Vec<Line>) -> Self {
        Self { lines, body: None }
    }

    /// Adds a body.
    fn put_body(&mut self, headers: &HeaderList, body: &[u8], look: Look) {
        self.lines.push(Line::new());
        self.body = Some(self.lines.len());
        self.lines.extend(body::lines(headers, body, look));
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

fn request(event: &Event, look: Look) -> Sheet {
    let request = &event.request;
    let first = Line::of(Role::Strong, &request.method);
    let mut sheet = Sheet::of(vec![first.space(1).put(Role::Plain, &request.path)]);
    sheet.lines.extend(headers(&request.headers));
    sheet.put_body(&request.headers, &request.body, look);
    sheet
}

fn response(last: Option<&Attempt>, look: Look) -> Sheet {
    let Some(attempt) = last else {
        return Sheet::of(vec![Line::of(Role::Quiet, "No attempt has ended yet.")]);
    };
    let took = words::duration(attempt.duration);
    match &attempt.outcome {
        Outcome::Failed { error } => Sheet::of(vec![
            Line::of(Role::Failed, format!("✗ {error}")),
            Line::of(Role::Quiet, format!("after {took}, from {}", attempt.url)),
        ]),
        Outcome::Answered {
            status,
            headers: sent,
            body,
            body_bytes,
        } => {
            let (role, status) = words::status_outcome(*status);
            let about = format!("  {took} · {}", words::size(*body_bytes));
            let mut sheet = Sheet::of(vec![Line::of(role, status).put(Role::Quiet, about)]);
            sheet.lines.extend(headers(sent));
            sheet.put_body(sent, body, look);
            let kept = u64::try_from(body.len()).unwrap_or(u64::MAX);
            if kept < *body_bytes {
                let kept = format!("The history kept the first {}.", words::size(kept));
                sheet.lines.push(Line::of(Role::Quiet, kept));
            }
            sheet
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
