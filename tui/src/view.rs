//! The state → a frame: calls the panes in order, and changes nothing.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::App;
use crate::env::Env;
use crate::layout::SMALLEST;
use crate::line::{Line, cells};
use crate::theme::Role;
use crate::{detail, footer, header, list, modal, search};

/// Draws everything.
pub(crate) fn view(app: &App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let buffer = frame.buffer_mut();
    let Some(layout) = app.layout_on(screen.as_size()) else {
        return too_small(app.env(), screen, buffer);
    };
    let env = app.env();
    header::view(app.header(), env, layout.header, buffer);
    if layout.list.area() > 0 {
        list::view(&app.list, app.list_props(), env, layout.list, buffer);
    }
    if layout.detail.area() > 0 {
        detail::view(&app.detail, app.detail_props(), &layout, env, buffer);
    }
    if app.search.is_open() {
        let without_matches = app.list.without_matches();
        search::view(&app.search, without_matches, env, layout.footer, buffer);
    } else if app.detail.is_finding() {
        app.detail.view_find(layout.footer, env, buffer);
    } else {
        let contexts = app.contexts();
        footer::view(app.footer(&contexts), env, layout.footer, buffer);
    }
    for modal in app.modals() {
        modal::view(modal, app.health_props(), env, screen, buffer);
    }
    footer::toasts(&app.toasts, env, layout.footer, buffer);
}

fn too_small(env: Env<'_>, screen: Rect, buffer: &mut ratatui::buffer::Buffer) {
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
        line.draw(row, env.theme, buffer);
    }
}
