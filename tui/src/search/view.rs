//! The filter line at the bottom of the screen, with what is wrong in it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Search;
use crate::line::Line;
use crate::theme::{Role, Theme};

/// Words shown while nothing has been typed.
const HINT: &str =
    "type:item.* item:4711 status:5xx after:10m path:/podio -type:hook.verify \"text\"";

/// Draws the open line into the row `area`.
pub(crate) fn view(search: &Search, area: Rect, theme: Theme, buffer: &mut Buffer) {
    let Some(typing) = &search.line else { return };
    let room = usize::from(area.width).saturating_sub(2);
    let note = match &typing.fault {
        Some(fault) => Line::of(Role::Failed, format!("  {fault}")),
        None if typing.input.text().is_empty() => Line::of(Role::Quiet, HINT),
        None => Line::of(
            Role::Quiet,
            "  enter keeps it · esc brings back the one before",
        ),
    };
    let fault = typing.fault.as_ref().map(|fault| fault.column);
    let input = typing.input.line(
        room.saturating_sub(note.width().min(room / 2)).max(8),
        fault,
    );
    let line = Line::of(Role::Accent, " /").join(input).join(note);
    line.draw(area, theme, buffer);
}
