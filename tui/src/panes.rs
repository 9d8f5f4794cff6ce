//! The two panes: which of them has the keys, and how they share the screen.

use ratatui::layout::{Rect, Size};

use crate::layout::{Layout, Pane};

/// The list's part of what it shares with the detail at first, in per cent.
const SHARE: u16 = 58;

/// Which panes are on a screen that has room for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Zoom {
    /// Both of them.
    #[default]
    Both,
    /// The one that has the keys.
    One,
}

/// The state of the panes.
#[derive(Debug, Clone)]
pub(crate) struct Panes {
    size: Size,
    /// The pane that has the keys while no window has them.
    pub(crate) focus: Pane,
    /// The list's part of what it shares with the detail, in per cent.
    pub(crate) share: u16,
    /// Whether the border between the panes is held by the mouse.
    pub(crate) is_dragging: bool,
    zoom: Zoom,
}

impl Panes {
    /// The panes on a screen of this size.
    pub(crate) fn new(size: Size) -> Self {
        Self {
            size,
            focus: Pane::default(),
            share: SHARE,
            is_dragging: false,
            zoom: Zoom::default(),
        }
    }

    /// The whole screen.
    pub(crate) fn screen(&self) -> Rect {
        Rect::new(0, 0, self.size.width, self.size.height)
    }

    /// The screen has this size now; says whether that is another one.
    pub(crate) fn resize(&mut self, size: Size) -> bool {
        std::mem::replace(&mut self.size, size) != size
    }

    /// Shows one pane, or both again.
    pub(crate) fn zoom(&mut self) {
        self.zoom = match self.zoom {
            Zoom::Both => Zoom::One,
            Zoom::One => Zoom::Both,
        };
    }

    /// Where everything is on a screen of this size; `None` on one that is too small. Before the
    /// first event, the list has all of it: there is nothing to be detailed.
    pub(crate) fn layout_on(&self, size: Size, has_events: bool) -> Option<Layout> {
        Layout::of(size, self.focus, self.shared(has_events))
    }

    /// Where everything is.
    pub(crate) fn layout(&self, has_events: bool) -> Option<Layout> {
        self.layout_on(self.size, has_events)
    }

    /// Where everything would be if the detail had the keys.
    pub(crate) fn layout_of_detail(&self, has_events: bool) -> Option<Layout> {
        Layout::of(self.size, Pane::Detail, self.shared(has_events))
    }

    fn shared(&self, has_events: bool) -> Option<u16> {
        (self.zoom == Zoom::Both && has_events).then_some(self.share)
    }

    /// Brings the detail onto a screen that has room for one pane only.
    pub(crate) fn show_detail(&mut self, has_events: bool) {
        let layout = self.layout(has_events);
        if layout.is_some_and(|at| at.detail.area() == 0) {
            self.focus = Pane::Detail;
        }
    }
}
