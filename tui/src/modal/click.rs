//! Handles a press of the mouse button in a window.

use ratatui::layout::{Position, Rect};

use super::Modal;
use super::palette::PaletteChoice;
use crate::copy::CopyForm;
use crate::keymap::Keymap;
use crate::layout::inner;

/// The result of a click in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clicked {
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
    ) -> Clicked {
        let lines = inner(area);
        if !lines.contains(at) {
            return Clicked::Nothing;
        }
        let line = usize::from(at.y - lines.y);
        let clicked = match self {
            Self::Palette(palette) => palette.click(line, keymap).map(Clicked::Choice),
            Self::Copy(menu) => menu.at(line).map(Clicked::Copy),
            Self::Form(form) => {
                let is_field = form.click(line, lines.height.into());
                is_field.then_some(Clicked::Changed)
            }
            Self::Hooks(pane) => pane.click(line, screen).map(Clicked::Row),
            Self::Timeline(pane) => pane.click(line, screen).map(Clicked::Row),
            Self::Faults(pane) => pane.click(line, screen).map(Clicked::Row),
            Self::Pulses(pulses) => pulses.click(line, screen).map(Clicked::Row),
            Self::Tunnels(pane) => pane.click(line, screen).map(Clicked::Row),
            Self::Help(_) | Self::Lines(_) | Self::Health(_) | Self::Confirm(..) => None,
        };
        clicked.unwrap_or(Clicked::Nothing)
    }
}
