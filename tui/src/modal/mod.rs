//! Windows over the panes: the top one has the keys.

pub(crate) mod help;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::App;

/// A window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Modal {
    /// Every key.
    Help(help::Help),
}

/// Draws a window over `screen`.
pub(crate) fn view(modal: &Modal, app: &App, screen: Rect, buffer: &mut Buffer) {
    match modal {
        Modal::Help(help) => help::view(help, app, screen, buffer),
    }
}
