//! Lays an event out: every tab as finished rows for one [`RenderOptions`]. The
//! executor does this outside the UI loop, because a body may be large. Afterwards,
//! drawing and scrolling only count lines.

use jiff::tz::TimeZone;
use podtap_agent::figures::DOCTOR;
use podtap_agent::history::{Attempt, Event, Outcome};
use podtap_agent::{Explanation, HeaderList, parameter};

use super::render_options::RenderOptions;
use super::rows::Rows;
use super::{Tab, attempts, body, diff, summary};
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;
use crate::words;

/// An event and everything that is known about it.
#[derive(Debug, Clone)]
pub(crate) struct FullEvent {
    pub(crate) event: Event,
    /// Its attempts, oldest first.
    pub(crate) attempts: Vec<Attempt>,
    /// What Podio reported about it earlier.
    pub(crate) explanation: Option<Explanation>,
}

/// An event and everything that its tabs show.
#[derive(Debug, Clone)]
pub(crate) struct OpenEvent {
    pub(crate) event: Event,
    /// How it is laid out.
    pub(crate) options: RenderOptions,
    /// Whether Podio has explained it.
    pub(crate) is_explained: bool,
    /// The numbers of its attempts.
    pub(crate) attempts: Vec<u32>,
    /// The number of the last attempt that sent an edited request.
    pub(super) edited: Option<u32>,
    /// Whether the bodies of the tabs Request and Response are JSON.
    are_json: [bool; 2],
    sheets: [Rows; 6],
}

impl OpenEvent {
    /// Lays out an event.
    pub(crate) fn new(full: FullEvent, options: RenderOptions, zone: &TimeZone) -> Self {
        let FullEvent {
            event,
            attempts,
            explanation,
        } = full;
        let attempts = attempts.as_slice();
        let chosen = attempts
            .iter()
            .find(|attempt| options.attempt == Some(attempt.number));
        let shown = chosen.or(attempts.last());
        let answer = match shown.map(|attempt| &attempt.outcome) {
            Some(Outcome::Answered { headers, body, .. }) => body::is_json(headers, body),
            _ => false,
        };
        // The tab Request shows the edited request of the chosen attempt, if it was edited.
        let sent = match chosen.and_then(|attempt| attempt.edited.as_ref()) {
            Some(edited) => body::is_json(&edited.headers, &edited.body),
            None => body::is_json(&event.request.headers, &event.request.body),
        };
        let are_json = [sent, answer];
        let sheets = [
            Sheet::of(summary::sheet(&event, attempts, explanation.as_ref(), zone)),
            Sheet::of(params(&event)),
            request(&event, chosen, attempts, options),
            response(shown, attempts.len(), options, zone),
            Sheet::of(attempts::sheet(attempts, zone)),
            Sheet::of(diff::sheet(explanation.as_ref())),
        ];
        Self {
            sheets: sheets.map(|sheet| Rows::lay_out(sheet.lines, options).with_body(sheet.body)),
            is_explained: explanation.is_some(),
            attempts: attempts.iter().map(|attempt| attempt.number).collect(),
            edited: last_edited(attempts),
            event,
            options,
            are_json,
        }
    }

    /// Returns the rows of a tab.
    pub(crate) fn sheet(&self, tab: Tab) -> &Rows {
        self.sheets.get(tab.index()).unwrap_or_else(|| Rows::none())
    }

    /// Returns whether the body in this tab is JSON.
    pub(super) fn is_json(&self, tab: Tab) -> bool {
        let [request, response] = self.are_json;
        if tab == Tab::Response {
            response
        } else {
            request
        }
    }
}

/// The lines of a tab before they are laid out, and the line with the heading of the body.
struct Sheet {
    lines: Vec<Line>,
    body: Option<usize>,
}

impl Sheet {
    /// Creates a sheet without a body.
    fn of(lines: Vec<Line>) -> Self {
        Self { lines, body: None }
    }

    /// Appends a body.
    fn put_body(&mut self, headers: &HeaderList, body: &[u8], options: RenderOptions) {
        self.lines.push(Line::new());
        self.body = Some(self.lines.len());
        self.lines.extend(body::lines(headers, body, options));
    }
}

/// Returns the fields of the form, each with what the catalogue knows about it.
fn params(event: &Event) -> Vec<Line> {
    let Some(podio) = &event.podio else {
        return vec![Line::of(
            Role::Quiet,
            "The body is not a form as Podio sends it; see Request.",
        )];
    };
    let names = podio
        .params
        .iter()
        .map(|(name, _)| SafeText::new(name).width());
    let width = names.max().unwrap_or(0).clamp(8, 28);
    let line = |(name, value): &(String, String)| {
        let line = Line::new().column(Role::Name, name, width + 2);
        let line = line.with(Role::Plain, value).hanging(width + 2);
        match parameter::meaning(&podio.kind, name) {
            "" => line,
            meaning => line.with(Role::Quiet, format!("  {meaning}")),
        }
    };
    podio.params.iter().map(line).collect()
}

/// Returns the request as received, or as a person edited it for the chosen attempt.
fn request(
    event: &Event,
    chosen: Option<&Attempt>,
    attempts: &[Attempt],
    options: RenderOptions,
) -> Sheet {
    let edited = chosen.and_then(|attempt| Some((attempt.number, attempt.edited.as_ref()?)));
    let (method, path, fields, body, note) = if let Some((number, edited)) = edited {
        let note = format!("As it was edited for attempt {number}; [ and ] show others.");
        (
            &edited.method,
            &edited.path,
            &edited.headers,
            &edited.body,
            Some(note),
        )
    } else {
        let note = last_edited(attempts).map(|last| {
            format!("As received. Attempt {last} sent an edited one; [ and ] show it.")
        });
        let request = &event.request;
        (
            &request.method,
            &request.path,
            &request.headers,
            &request.body,
            note,
        )
    };
    let first = Line::of(Role::Strong, method);
    let note = note.map(|note| Line::of(Role::Accent, note));
    let first = first.space(1).with(Role::Plain, path);
    let mut sheet = Sheet::of(note.into_iter().chain([first]).collect());
    sheet.lines.extend(headers(fields));
    sheet.put_body(fields, body, options);
    sheet
}

fn last_edited(attempts: &[Attempt]) -> Option<u32> {
    let edits = attempts.iter().filter(|attempt| attempt.edited.is_some());
    edits.last().map(|attempt| attempt.number)
}

/// Returns the heading of an attempt: its number, the number of attempts, and how it was started.
fn attempt_heading(attempt: &Attempt, many: usize, zone: &TimeZone) -> Line {
    let started = attempt.started_at.to_zoned_datetime(zone.clone());
    let started = started.strftime("%H:%M:%S");
    let line = Line::of(
        Role::Strong,
        format!("attempt {} of {many}", attempt.number),
    );
    let sign = match (attempt.replay, &attempt.edited) {
        (true, Some(_)) => "  ↻ edited and replayed",
        (true, None) => "  ↻ replayed",
        (false, _) => "",
    };
    line.with(Role::Accent, sign).with(
        Role::Quiet,
        format!("  {started}  [ and ] others, c compares"),
    )
}

fn response(
    shown: Option<&Attempt>,
    many: usize,
    options: RenderOptions,
    zone: &TimeZone,
) -> Sheet {
    let Some(attempt) = shown else {
        return Sheet::of(vec![Line::of(Role::Quiet, "No attempt has ended yet.")]);
    };
    let mut sheet = answer(attempt, options);
    if many > 1 {
        let head = [attempt_heading(attempt, many, zone)];
        sheet.body = sheet.body.map(|body| body + head.len());
        sheet.lines.splice(0..0, head);
    }
    sheet
}

fn answer(attempt: &Attempt, options: RenderOptions) -> Sheet {
    let took = words::duration(attempt.duration);
    match &attempt.outcome {
        Outcome::Failed { error } => Sheet::of(vec![
            Line::of(Role::Failed, format!("✗ {error}")),
            Line::of(Role::Quiet, format!("after {took}, from {}", attempt.url)),
            Line::of(Role::Quiet, DOCTOR),
        ]),
        Outcome::Answered {
            status,
            headers: sent,
            body,
            body_bytes,
        } => {
            let (role, status) = words::status_outcome(*status);
            let about = format!("  {took} · {}", words::size(*body_bytes));
            let mut sheet = Sheet::of(vec![Line::of(role, status).with(Role::Quiet, about)]);
            sheet.lines.extend(headers(sent));
            sheet.put_body(sent, body, options);
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
            .with(Role::Quiet, ": ")
            .with(Role::Plain, SafeText::from_bytes(value).as_str())
    })
}
