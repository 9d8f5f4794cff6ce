//! Handles a press of the mouse button in a window.

use ratatui::layout::{Position, Rect};

use super::Modal;
use super::palette::PaletteChoice;
use crate::copy::CopyForm;
use crate::keymap::Keymap;
use crate::layout::inner;

/// The result of a click in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClickResult {
    Nothing,
    /// The window has changed.
    Changed,
    /// A row of a table was selected.
    Row(usize),
    /// A line of the palette was chosen.
    Choice(PaletteChoice),
    /// A line of the copy menu was chosen.
    Copy(CopyForm),
}

impl Modal {
    /// Handles a click at `at`. The window is in `area` of the `screen`.
    pub(crate) fn click(
        &mut self,
        at: Position,
        area: Rect,
        keymap: &Keymap,
        screen: Rect,
    ) -> ClickResult {
        let lines = inner(area);
        if !lines.contains(at) {
            return ClickResult::Nothing;
        }
        let line = usize::from(at.y - lines.y);
        let clicked = match self {
            Self::Palette(palette) => palette.click(line, keymap).map(ClickResult::Choice),
            Self::Copy(menu) => menu.at(line).map(ClickResult::Copy),
            Self::Form(form) => {
                let is_field = form.click(line, lines.height.into());
                is_field.then_some(ClickResult::Changed)
            }
            Self::Hooks(pane) => pane.click(line, screen).map(ClickResult::Row),
            Self::Timeline(pane) => pane.click(line, screen).map(ClickResult::Row),
            Self::Faults(pane) => pane.click(line, screen).map(ClickResult::Row),
            Self::Pulses(pulses) => pulses.click(line, screen).map(ClickResult::Row),
            Self::Tunnels(pane) => pane.click(line, screen).map(ClickResult::Row),
            Self::Help(_) | Self::Lines(_) | Self::Health(_) | Self::Confirm(..) => None,
        };
        clicked.unwrap_or(ClickResult::Nothing)
    }
}
