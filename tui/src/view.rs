//! Draws a frame from the state: calls the views of the panes in order, and changes nothing.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::App;
use crate::detail::DetailProps;
use crate::env::Env;
use crate::header::Header;
use crate::layout::{Pane, SMALLEST};
use crate::line::{Line, cells};
use crate::list::ListProps;
use crate::theme::Role;
use crate::{detail, footer, header, list, modal, repair, search};

/// Draws the whole screen.
pub(crate) fn view(app: &App, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let buffer = frame.buffer_mut();
    let env = app.env();
    let has_events = !app.list.is_history_empty();
    let Some(layout) = app.panes.layout_on(screen.as_size(), has_events) else {
        return too_small(env, screen, buffer);
    };
    header::view(header(app), env, layout.header, buffer);
    if layout.list.area() > 0 {
        list::view(&app.list, list_props(app), env, layout.list, buffer);
    }
    if layout.detail.area() > 0 {
        let props = detail_props(app, env);
        match app.list.selected_gap() {
            Some(gap) => repair::view(gap, props.focused, &layout, env, buffer),
            None => detail::view(&app.detail, props, &layout, env, buffer),
        }
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
    for window in app.windows.iter() {
        modal::view(window, app.health_props(), env, screen, buffer);
    }
    footer::toasts(&app.toasts, env, layout.footer, buffer);
}

fn header(app: &App) -> Header<'_> {
    Header {
        tunnel: app.config.tunnel_name(&app.status),
        place: app.tunnels.place(),
        status: &app.status,
        rate: &app.rate,
        batch: app.replays.batch(),
        imported: app.archive.imported_so_far(app.rate.others()),
    }
}

fn list_props(app: &App) -> ListProps<'_> {
    ListProps {
        status: &app.status,
        search: &app.search,
        names: &app.names,
        chain: app.figures.known_figures().chain.as_ref(),
        held_back: app.pause.held_back(),
        warning: app.loops.warning(),
        is_typing: app.is_typing(),
        focused: app.windows.is_empty() && app.panes.focus == Pane::List,
    }
}

fn detail_props(app: &App, env: Env<'_>) -> DetailProps {
    let opened = app.detail.open_event();
    DetailProps {
        selected: app.list.selected_event().map(|row| row.id),
        asked_for: opened.and_then(|opened| app.explain.seconds(opened.event.id, env.now)),
        focused: app.windows.is_empty() && app.panes.focus == Pane::Detail,
    }
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
