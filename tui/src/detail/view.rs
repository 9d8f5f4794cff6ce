//! Draws the title, the tabs, and the visible rows of the open tab.

use std::ops::Range;

use jiff::SignedDuration;
use podtap_agent::{EventId, amount};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::diff::hint;
use super::{Detail, OpenEvent, Tab};
use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context, Keymap};
use crate::layout::Layout;
use crate::line::{Line, cells};
use crate::theme::Role;
use crate::words;

/// What the view shows in addition to the state of the detail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DetailProps {
    /// The event that is selected in the list.
    pub(crate) selected: Option<EventId>,
    /// The number of seconds for which Podio has been asked about the open event.
    pub(crate) asked_for: Option<i64>,
    /// Whether the pane receives the keys.
    pub(crate) focused: bool,
}

/// Draws the detail.
pub(crate) fn view(
    detail: &Detail,
    props: DetailProps,
    layout: &Layout,
    env: Env<'_>,
    buffer: &mut Buffer,
) {
    let theme = env.theme;
    let sheet = layout.sheet();
    let height = usize::from(sheet.height);
    let first = detail.first(height);
    let titles = Titles {
        left: title(detail, props.selected),
        right: progress(detail, first, height),
        below: selecting(detail, env.keymap),
    };
    let focused = props.focused;
    Frame { focused, titles }.draw(layout.detail, theme, buffer);
    if detail.open_event().is_none() {
        return empty(detail, env, sheet, buffer);
    }
    tabs(detail.tab, layout.tabs().width).draw(layout.tabs(), theme, buffer);
    if let Some(seconds) = props.asked_for.filter(|_| detail.tab == Tab::Diff) {
        return asking(seconds, env, sheet, buffer);
    }
    let (rows, left) = (detail.rows(), detail.scrolled_cells());
    let selected = detail.selected_rows().unwrap_or_default();
    for (index, area) in (first..rows.len()).zip(sheet.rows()) {
        rows.draw(index, left, area, theme, buffer);
        let hits = &detail.find.hits;
        for (is_current, found) in hits.in_row(rows, index, detail.find.current) {
            let Some(found) = in_sight(&found, left, area) else {
                continue;
            };
            buffer.set_style(found, theme.style(Role::Match));
            if is_current {
                buffer.set_style(found, theme.style(Role::Cursor));
            }
        }
        if selected.contains(&index) {
            let is_cursor = detail.cursor() == Some(index);
            buffer.set_style(area, theme.selection(is_cursor));
        }
    }
    if detail.lacks_diff() {
        let below = sheet.rows().skip(rows.len());
        for (line, area) in hint(env.keymap).iter().zip(below) {
            line.draw(area, theme, buffer);
        }
    }
}

/// Draws that Podio is being asked, for how long, and the key that stops it.
fn asking(seconds: i64, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let stops = env
        .keymap
        .hints(Context::Detail, &[(Action::Back, "stops")]);
    let line = Line::of(
        Role::Waiting,
        format!(
            "Asking Podio … {}",
            amount::age(SignedDuration::from_secs(seconds))
        ),
    );
    let line = line.with(Role::Quiet, format!("  {stops}"));
    line.draw(area, env.theme, buffer);
}

/// Returns the area of these cells of a row on the screen; `None` if they are out of sight.
fn in_sight(found: &Range<usize>, left: usize, area: Rect) -> Option<Rect> {
    let on_screen = |at: usize| cells(at.saturating_sub(left)).min(area.width);
    let (from, to) = (on_screen(found.start), on_screen(found.end));
    (from < to).then_some(Rect {
        x: area.x + from,
        width: to - from,
        ..area
    })
}

/// Returns the number of selected lines and the keys that work on them.
fn selecting(detail: &Detail, keymap: &Keymap) -> Line {
    let Some(lines) = detail.selected_lines() else {
        return Line::new();
    };
    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
    let says = [
        keymap.hints(Context::Browse, &[(Action::Copy, "copies")]),
        keymap.hints(Context::Detail, &[(Action::Back, "leaves")]),
    ];
    let mut line = Line::of(
        Role::Accent,
        format!("{} selected", words::count(lines, "line")),
    );
    for says in says.iter().filter(|says| !says.is_empty()) {
        line = line.with(Role::Quiet, " · ").with(Role::Quiet, says);
    }
    line
}

fn tabs(open: Tab, room: u16) -> Line {
    let mut line = Line::new();
    for tab in Tab::ALL {
        let role = if tab == open {
            Role::Match
        } else {
            Role::Quiet
        };
        line = line.with(role, tab.title()).space(Tab::gap(room));
    }
    line
}

fn title(detail: &Detail, selected: Option<EventId>) -> Line {
    let Some(opened) = detail.open_event() else {
        return Line::of(Role::Strong, "Event");
    };
    let line = name(opened);
    if detail.is_gone {
        line.with(Role::Warning, " · no longer in the history")
    } else if selected.is_some_and(|id| id != opened.event.id) {
        line.with(Role::Quiet, " · reading the next …")
    } else {
        line
    }
}

fn name(opened: &OpenEvent) -> Line {
    let event = &opened.event;
    let Some(podio) = &event.podio else {
        let request = &event.request;
        return Line::of(Role::Strong, format!("{} {}", request.method, request.path));
    };
    let mut line = Line::of(Role::Strong, podio.kind.as_str());
    if let Some(object) = podio.object() {
        line = line
            .with(Role::Quiet, " · ")
            .with(Role::Plain, object.to_string());
    }
    match podio.revision() {
        Some(0) => line.with(Role::Quiet, " · ").with(Role::Plain, "r0"),
        Some(revision) => {
            let change = format!("r{} → r{revision}", revision - 1);
            line.with(Role::Quiet, " · ").with(Role::Plain, change)
        }
        None => line,
    }
}

/// Returns the scroll position to the side and down, if the rows do not fit.
fn progress(detail: &Detail, first: usize, height: usize) -> Line {
    let rows = detail.rows();
    let (left, width) = (detail.scrolled_cells(), detail.width());
    let aside = part("↔ ", left + width, rows.widest(), width);
    let down = part("", first + height, rows.len(), height);
    let gap = if aside.is_empty() || down.is_empty() {
        ""
    } else {
        " · "
    };
    let progress = format!("{aside}{gap}{down}");
    if progress.is_empty() {
        return Line::new();
    }
    Line::of(Role::Quiet, progress)
}

fn part(sign: &str, last: usize, all: usize, in_sight: usize) -> String {
    if all <= in_sight {
        return String::new();
    }
    let number = |number| words::number(u64::try_from(number).unwrap_or(u64::MAX));
    format!("{sign}{}/{}", number(last), number(all))
}

fn empty(detail: &Detail, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let line = match detail {
        Detail {
            failure: Some(failure),
            ..
        } => Line::of(Role::Failed, failure),
        Detail { asked: Some(_), .. } => Line::of(Role::Quiet, "Loading…"),
        _ => Line::of(Role::Quiet, "No event is selected."),
    };
    line.draw(area, env.theme, buffer);
}
