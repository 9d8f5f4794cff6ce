//! The state of the two panes: which one receives the keys, and how they share the screen.

use ratatui::layout::{Rect, Size};

use crate::layout::{Layout, Pane};

/// The list's initial part of the space that it shares with the detail, in per cent.
const SHARE: u16 = 58;

/// Which panes are shown if the screen has room for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Zoom {
    /// The list and the detail.
    #[default]
    Both,
    /// The focused pane.
    One,
}

/// The state of the panes.
#[derive(Debug, Clone)]
pub(crate) struct Panes {
    size: Size,
    /// The pane that receives the keys while no window is open.
    pub(crate) focus: Pane,
    /// The list's part of the space that it shares with the detail, in per cent.
    pub(crate) share: u16,
    /// Whether the mouse is dragging the border between the panes.
    pub(crate) is_dragging: bool,
    zoom: Zoom,
}

impl Panes {
    /// Creates the panes on a screen of this size.
    pub(crate) fn new(size: Size) -> Self {
        Self {
            size,
            focus: Pane::default(),
            share: SHARE,
            is_dragging: false,
            zoom: Zoom::default(),
        }
    }

    /// Returns the area of the whole screen.
    pub(crate) fn screen(&self) -> Rect {
        Rect::new(0, 0, self.size.width, self.size.height)
    }

    /// Sets the size of the screen. Returns whether it has changed.
    pub(crate) fn resize(&mut self, size: Size) -> bool {
        std::mem::replace(&mut self.size, size) != size
    }

    /// Shows only the focused pane, or both panes again.
    pub(crate) fn zoom(&mut self) {
        self.zoom = match self.zoom {
            Zoom::Both => Zoom::One,
            Zoom::One => Zoom::Both,
        };
    }

    /// Returns the areas of a screen of this size; `None` if it is too small. Before
    /// the first event, the focused pane has all of the shared space, because there
    /// is nothing to show in the detail.
    pub(crate) fn layout_on(&self, size: Size, has_events: bool) -> Option<Layout> {
        Layout::of(size, self.focus, self.list_share(has_events))
    }

    /// Returns the areas of the screen.
    pub(crate) fn layout(&self, has_events: bool) -> Option<Layout> {
        self.layout_on(self.size, has_events)
    }

    /// Returns the areas of the screen as they would be if the detail were focused.
    pub(crate) fn layout_of_detail(&self, has_events: bool) -> Option<Layout> {
        Layout::of(self.size, Pane::Detail, self.list_share(has_events))
    }

    fn list_share(&self, has_events: bool) -> Option<u16> {
        (self.zoom == Zoom::Both && has_events).then_some(self.share)
    }

    /// Focuses the detail if the screen has room for one pane only.
    pub(crate) fn show_detail(&mut self, has_events: bool) {
        let layout = self.layout(has_events);
        if layout.is_some_and(|at| at.detail.area() == 0) {
            self.focus = Pane::Detail;
        }
    }
}
