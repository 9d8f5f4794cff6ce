//! The state → a frame: calls the panes in order, and changes nothing.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::{App, Pane};
use crate::layout::SMALLEST;
use crate::line::{Line, cells};
use crate::theme::Role;
use crate::{detail, footer, header, list, modal, search};

/// Draws everything.
pub(crate) fn view(app: &App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let buffer = frame.buffer_mut();
    let Some(layout) = app.layout_on(screen.as_size()) else {
        return too_small(app, screen, buffer);
    };
    header::view(app, layout.header, buffer);
    if layout.list.area() > 0 {
        list::view(app, layout.list, app.has_focus(Pane::List), buffer);
    }
    if layout.detail.area() > 0 {
        detail::view(app, &layout, app.has_focus(Pane::Detail), buffer);
    }
    if app.search.is_open() {
        search::view(app, layout.footer, buffer);
    } else if app.detail.is_finding() {
        app.detail.view_find(layout.footer, app, buffer);
    } else {
        footer::view(app, layout.footer, buffer);
    }
    for modal in app.modals() {
        modal::view(modal, app, screen, buffer);
    }
    footer::toasts(app, layout.footer, buffer);
}

fn too_small(app: &App, screen: Rect, buffer: &mut ratatui::buffer::Buffer) {
    let lines = [
        format!("Podtap needs {}×{}.", SMALLEST.width, SMALLEST.height),
        format!("This terminal has {}×{}.", screen.width, screen.height),
    ];
    let top = screen.y + screen.height.saturating_sub(2) / 2;
    for (line, y) in lines.iter().zip(top..screen.bottom()) {
        let line = Line::of(Role::Plain, line);
        let x = screen.x + screen.width.saturating_sub(cells(line.width())) / 2;
        let row = Rect {
            x,
            y,
            width: screen.right() - x,
            height: 1,
        };
        line.draw(row, app.theme(), buffer);
    }
}
