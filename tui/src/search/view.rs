//! Draws the filter line at the bottom of the screen, with the error in the filter.

use podtap_agent::history::Filter;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget as _};

use super::complete::Completion;
use super::{FilterLine, Search};
use crate::env::Env;
use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::paragraph;
use crate::theme::Role;

/// The hint in an empty line. It fits on 80 columns.
const HINT: &str = "type:item.* item:4711 status:5xx after:10m -type:hook.verify \"text\"";

/// Draws the open line in the row `area`. `without_matches` is the filter that was
/// tried last, if no event matches it.
pub(crate) fn view(
    search: &Search,
    without_matches: Option<&Filter>,
    env: Env<'_>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(typing) = &search.line else { return };
    let room = usize::from(area.width).saturating_sub(2);
    let mut note = note(search, typing, without_matches, env.keymap);
    // An error is always shown in full: above the line, if there is not enough room after the text.
    if typing.fault.is_some() && note.width() + typing.input.text().chars().count() + 1 > room {
        above(&std::mem::take(&mut note), env, area, buffer);
    }
    let fault = typing.fault.as_ref().map(|fault| fault.column);
    let input = typing.input.line(
        room.saturating_sub(note.width().min(room / 2)).max(8),
        fault,
    );
    let line = Line::of(Role::Accent, " /").join(input).join(note);
    line.draw(area, env.theme, buffer);
}

/// Maximum number of rows above the line.
const ABOVE: usize = 4;

/// Draws the note in the rows above the line.
fn above(note: &Line, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width).saturating_sub(2);
    let lines = paragraph::lines(Role::Failed, note.text().trim_start(), room);
    let lines: Vec<Line> = lines.into_iter().take(ABOVE).collect();
    for (line, y) in lines.iter().rev().zip((0..area.y).rev()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        Clear.render(row, buffer);
        Line::new()
            .space(1)
            .join(line.clone())
            .draw(row, env.theme, buffer);
    }
}

/// Returns the note after the text: the completions, the error, or what keys do.
fn note(
    search: &Search,
    typing: &FilterLine,
    without_matches: Option<&Filter>,
    keymap: &Keymap,
) -> Line {
    let text = typing.input.text();
    if text.is_empty() {
        let mut hint = Line::of(Role::Quiet, HINT);
        if let Some((name, _)) = search.saved.iter().next() {
            hint = Line::of(Role::Quiet, format!("@{name} ")).join(hint);
        }
        return hint;
    }
    let offers = Completion::of(typing.input.before(), &search.saved, &search.seen).offers();
    let key = keymap.key_in(Context::Typing, Action::NextTab);
    match (offers.zip(key), &typing.fault) {
        (Some((words, key)), _) => Line::new()
            .space(2)
            .with(Role::Accent, key.to_string())
            .space(1)
            .with(Role::Quiet, words),
        (None, Some(fault)) => Line::of(Role::Failed, format!("  {fault}")),
        (None, None) => {
            if let Some(without_matches) = without_matches {
                let unknown = without_matches.unknown_name();
                let note = unknown.map(|name| name.to_string());
                let note = note.unwrap_or_else(|| "no event matches this".to_owned());
                return Line::of(Role::Warning, format!("  {note}"));
            }
            let keys = [
                (Action::Open, "keeps it"),
                (Action::Back, "brings back the previous one"),
            ];
            let says = keymap.hints(Context::Typing, &keys);
            Line::new().space(2).with(Role::Quiet, says)
        }
    }
}
