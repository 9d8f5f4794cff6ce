//! Draws the list of hooks, the notes above it, or the text that replaces an empty
//! list. If there is no column for the standing, a bad standing replaces the mark,
//! unless the mark reports something worse.

use podtap_agent::{FailedPlace, HookStanding, ListedHook};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::HooksPane;
use super::columns::{EVENT, GUTTER, HookColumns, MARK, STANDING, STATUS};
use super::row::{self, HookRow};
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::Action;
use crate::layout::{inner, table};
use crate::line::Line;
use crate::paragraph;
use crate::safe_text::SafeText;
use crate::theme::Role;
use crate::words;

/// Maximum width of the window, in cells.
const WIDTH: u16 = 182;

/// Maximum number of lines for notes.
const MOST_NOTES: usize = 4;

/// Returns the number of rows that fit in the window.
pub(super) fn height(pane: &HooksPane, screen: Rect) -> usize {
    usize::from(inner(area(screen)).height).saturating_sub(above(pane, screen))
}

/// Returns the number of lines above the rows: the notes and the heading.
pub(super) fn above(pane: &HooksPane, screen: Rect) -> usize {
    notes(pane, inner(area(screen)).width.into()).len() + 1
}

/// Draws the pane over `screen`.
pub(crate) fn view(pane: &HooksPane, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let height = height(pane, screen);
    let area = area(screen);
    Clear.render(area, buffer);
    let titles = titles(pane, env);
    let focused = true;
    Frame { focused, titles }.draw(area, env.theme, buffer);
    let area = inner(area);
    let width = usize::from(area.width);
    let columns = HookColumns::of(width);
    let notes = notes(pane, width);
    let mut places = area.rows();
    for (note, place) in notes.iter().zip(places.by_ref()) {
        note.draw(place, env.theme, buffer);
    }
    if pane.rows.is_empty() {
        for (line, place) in empty(pane, env, width).iter().zip(places) {
            line.draw(place, env.theme, buffer);
        }
        return;
    }
    if let Some(place) = places.next() {
        heading(columns).draw(place, env.theme, buffer);
    }
    let first = pane.first(height.max(1));
    let rows = pane.rows.iter().enumerate().skip(first);
    for ((index, row), place) in rows.zip(places) {
        let is_selected = index == pane.cursor;
        line(row, is_selected, columns).draw(place, env.theme, buffer);
        if is_selected {
            buffer.set_style(place, env.theme.selection(true));
        }
    }
}

/// Returns the area of the pane.
pub(crate) fn area(screen: Rect) -> Rect {
    table(screen, WIDTH)
}

fn titles(pane: &HooksPane, env: Env<'_>) -> Titles {
    let mut left = Line::of(Role::Strong, "Hooks");
    let listed = pane.rows.iter().filter_map(HookRow::hook);
    let (mut all, mut dead) = (0, 0);
    for hook in listed {
        all += 1;
        dead += u64::from(hook.verdict.is_dead());
    }
    if all > 0 {
        left = left.with(Role::Quiet, format!(" {}", words::number(all)));
    }
    if dead > 0 {
        left = left.with(Role::Failed, format!(" · {} dead", words::number(dead)));
    }
    let right = if pane.changing > 0 {
        Line::of(Role::Waiting, "asking Podio …")
    } else if pane.is_reading() {
        Line::of(Role::Waiting, "reading …")
    } else {
        let key = env.keymap.key(Action::Help);
        let keys = key.map(|key| format!("{key} keys")).unwrap_or_default();
        Line::of(Role::Quiet, keys)
    };
    let below = match pane.selected_row() {
        Some(HookRow::Hook(listed)) if listed.verdict.is_dead() => {
            Line::of(Role::Failed, listed.verdict.words())
        }
        _ => Line::new(),
    };
    Titles { left, right, below }
}

/// Returns the notes above the rows.
fn notes(pane: &HooksPane, width: usize) -> Vec<Line> {
    let mut notes: Vec<(Role, String)> = Vec::new();
    notes.extend(pane.fault.clone().map(|fault| (Role::Failed, fault)));
    if let Some(refusal) = &pane.refusal {
        notes.push((Role::Warning, refusal.clone()));
        if !pane.rows.is_empty() {
            let text = "From the history of the last week:";
            notes.push((Role::Quiet, text.to_owned()));
        }
    }
    if pane.left_out > 0 {
        let many = u64::try_from(pane.left_out).unwrap_or(u64::MAX);
        let text = format!("{} more not listed", words::count(many, "place"));
        notes.push((Role::Quiet, text));
    }
    let lines = notes
        .iter()
        .flat_map(|(role, note)| paragraph::lines(*role, note, width));
    lines.take(MOST_NOTES).collect()
}

/// Returns the text to show if there are no rows.
fn empty(pane: &HooksPane, env: Env<'_>, width: usize) -> Vec<Line> {
    let make = env.keymap.key(Action::CreateHook);
    let make = make
        .map(|key| format!(" {key} creates one."))
        .unwrap_or_default();
    let text = match pane {
        pane if pane.is_reading() => "Reading the hooks …".to_owned(),
        pane if pane.refusal.is_some() => "No hook was called within a week.".to_owned(),
        pane if pane.places.is_empty() => {
            format!("No app, field or space with hooks is known here.{make}")
        }
        pane => {
            let many = u64::try_from(pane.places.len()).unwrap_or(u64::MAX);
            format!("No hooks on {}.{make}", words::count(many, "place"))
        }
    };
    paragraph::lines(Role::Quiet, &text, width)
}

fn heading(columns: HookColumns) -> Line {
    let quiet = |line: Line, text: &str, cells: usize| line.column(Role::Quiet, text, cells);
    let line = Line::new().space(GUTTER);
    let line = quiet(line, "status", STATUS);
    let line = quiet(line, "event", EVENT);
    let line = quiet(line, "on", columns.place);
    let line = quiet(line, "leads to", MARK);
    let line = quiet(line, "", columns.standing.min(1));
    let line = quiet(line, "Podio would say", columns.standing.saturating_sub(1));
    let line = quiet(line, "", columns.url.min(1));
    let line = quiet(line, "URL", columns.url.saturating_sub(1));
    let line = quiet(line, "", columns.id.min(1));
    let line = quiet(line, "hook", columns.id.saturating_sub(1));
    quiet(line, "made by", columns.maker)
}

fn line(row: &HookRow, is_selected: bool, columns: HookColumns) -> Line {
    let sign = if is_selected { "▶" } else { " " };
    let line = Line::new().column(Role::Accent, sign, GUTTER);
    match row {
        HookRow::Hook(listed) => hook(line, listed, columns),
        HookRow::Failed(failed) => place(line, failed),
        HookRow::Called(standing) => call_counts(line, standing),
    }
}

fn hook(line: Line, listed: &ListedHook, columns: HookColumns) -> Line {
    let (role, status) = row::status(listed.hook.status);
    let line = line
        .column(role, status, STATUS)
        .column(Role::Plain, &listed.hook.event, EVENT - 1)
        .space(1)
        .column(Role::Plain, listed.place.to_string(), columns.place - 1)
        .space(1);
    let standing = row::standing(listed.standing.as_ref());
    let (role, mark) = match &standing {
        (Role::Warning, bad) if columns.standing == 0 && !listed.verdict.is_dead() => {
            let word = bad.rsplit(' ').next().unwrap_or_default();
            (Role::Warning, format!("! {word}?"))
        }
        _ => row::mark(&listed.verdict),
    };
    let mut line = line.column(role, mark, MARK);
    if let Some(room) = columns.standing.checked_sub(1) {
        let (role, standing) = standing;
        line = line.space(1).column(role, standing, room);
    }
    if let Some(room) = columns.url.checked_sub(1) {
        let url = SafeText::new(&listed.hook.url);
        let url = match url.as_str().strip_prefix("https://") {
            Some(rest) if url.width() > room => words::shorten_url(rest, room),
            _ => words::shorten_url(url.as_str(), room),
        };
        line = line.space(1).column(Role::Quiet, url, room);
    }
    if let Some(room) = columns.id.checked_sub(1) {
        let id = listed.hook.hook_id.to_string();
        line = line.space(1).column(Role::Number, id, room);
    }
    let maker = match &listed.hook.created_by {
        _ if listed.made_here => "this agent",
        Some(by) => by.name.as_str(),
        None => "",
    };
    line.column(Role::Quiet, maker, columns.maker)
}

fn place(line: Line, failed: &FailedPlace) -> Line {
    line.column(Role::Failed, "✗ unread", STATUS)
        .column(Role::Plain, failed.place.to_string(), EVENT - 1)
        .space(1)
        .with(Role::Failed, &failed.reason)
}

fn call_counts(line: Line, standing: &HookStanding) -> Line {
    let role = if standing.conclusion() == "active" {
        Role::Ok
    } else {
        Role::Warning
    };
    let calls = words::count(standing.calls, "call");
    let failed = words::number(standing.failed);
    line.column(Role::Quiet, "· called", STATUS)
        .column(Role::Plain, format!("hook {}", standing.hook_id), EVENT)
        .column(role, standing.conclusion(), STANDING)
        .with(Role::Quiet, format!("{calls}, {failed} failed"))
}
