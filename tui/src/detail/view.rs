//! Title, tabs and the visible lines of the open one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Detail, TAB_GAP, Tab};
use crate::app::App;
use crate::frame::{Frame, Titles};
use crate::layout::Layout;
use crate::line::{Line, cells};
use crate::theme::Role;
use crate::words;

/// Draws the detail.
pub(crate) fn view(app: &App, layout: &Layout, focused: bool, buffer: &mut Buffer) {
    let (detail, theme) = (&app.detail, app.theme());
    let sheet = layout.sheet();
    let height = usize::from(sheet.height);
    let first = detail.first(height);
    let titles = Titles {
        left: title(detail),
        right: progress(detail, first, height),
        ..Titles::default()
    };
    Frame { focused, titles }.draw(layout.detail, theme, buffer);
    if detail.opened().is_none() {
        return empty(app, sheet, buffer);
    }
    tabs(detail.tab).draw(layout.tabs(), theme, buffer);
    let lines = detail.lines().iter().skip(first);
    for (line, row) in lines.zip(sheet.rows()) {
        line.draw(row, theme, buffer);
        if let Some((before, width)) = line.find(detail.find.text()) {
            let x = row.x.saturating_add(cells(before));
            let found = Rect {
                x,
                width: cells(width),
                ..row
            };
            buffer.set_style(found.intersection(row), theme.style(Role::Match));
        }
    }
}

fn tabs(open: Tab) -> Line {
    let mut line = Line::new();
    for tab in Tab::ALL {
        let role = if tab == open {
            Role::Match
        } else {
            Role::Quiet
        };
        line = line.put(role, tab.title()).space(TAB_GAP);
    }
    line
}

fn title(detail: &Detail) -> Line {
    let Some(opened) = detail.opened() else {
        return Line::of(Role::Strong, "Event");
    };
    let event = &opened.event;
    let Some(podio) = &event.podio else {
        let request = &event.request;
        return Line::of(Role::Strong, format!("{} {}", request.method, request.path));
    };
    let mut line = Line::of(Role::Strong, podio.kind.as_str());
    if let Some(object) = podio.object() {
        line = line
            .put(Role::Quiet, " · ")
            .put(Role::Plain, object.to_string());
    }
    match podio.revision() {
        Some(0) => line.put(Role::Quiet, " · ").put(Role::Plain, "r0"),
        Some(revision) => {
            let change = format!("r{} → r{revision}", revision - 1);
            line.put(Role::Quiet, " · ").put(Role::Plain, change)
        }
        None => line,
    }
}

/// How far down the lines are, where they do not fit.
fn progress(detail: &Detail, first: usize, height: usize) -> Line {
    let lines = detail.lines().len();
    if lines <= height {
        return Line::new();
    }
    let last = u64::try_from(first + height).unwrap_or(u64::MAX);
    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
    Line::of(
        Role::Quiet,
        format!("{}/{}", words::number(last), words::number(lines)),
    )
}

fn empty(app: &App, area: Rect, buffer: &mut Buffer) {
    let line = match &app.detail {
        Detail {
            failure: Some(failure),
            ..
        } => Line::of(Role::Failed, failure),
        Detail { asked: Some(_), .. } => Line::of(Role::Quiet, "Loading…"),
        _ => Line::of(Role::Quiet, "No event is selected."),
    };
    line.draw(area, app.theme(), buffer);
}
