//! Turns clicks, the wheel and drags into gestures. Pure: the layout says what is at each position.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp};
use podtap_agent::EventId;
use ratatui::layout::{Position, Rect};

use crate::detail::Tab;
use crate::layout::{Layout, Pane, inner};

/// What a person did with the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gesture {
    /// Clicked a line of the list.
    Row(usize),
    /// Clicked a tab.
    Tab(Tab),
    /// Clicked elsewhere in a pane.
    Focus(Pane),
    /// Scrolled a pane down or up.
    Scroll { pane: Pane, down: bool },
    /// Dragged, but not the border.
    Drag,
    /// Released the button, but not after a drag of the border.
    Drop,
    /// Pressed the button on the border between the panes.
    Grab,
    /// Dragged the border, so that the list has this part of the shared space, in per cent.
    Share(u16),
    /// Released the border.
    Release,
}

/// Maximum time between the two clicks of a double click. The clock has no finer resolution.
const DOUBLE: SignedDuration = SignedDuration::from_secs(1);

/// Something that can be double-clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClickTarget {
    /// A row of the list.
    Event(EventId),
    /// A row of the open table.
    Row(usize),
}

/// The last click.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clicks(Option<(ClickTarget, Timestamp)>);

impl Clicks {
    /// Returns whether this is the second click on the same target. A third
    /// click counts as a first one.
    pub(crate) fn is_double(&mut self, clicked: ClickTarget, now: Timestamp) -> bool {
        let is_again = |(last, at): &(ClickTarget, Timestamp)| {
            *last == clicked && now.duration_since(*at) <= DOUBLE
        };
        let is_double = self.0.is_some_and(|last| is_again(&last));
        self.0 = (!is_double).then_some((clicked, now));
        is_double
    }
}

/// Returns the gesture of a mouse event. `dragging` is whether the border is being dragged.
pub(crate) fn gesture(layout: &Layout, event: MouseEvent, dragging: bool) -> Option<Gesture> {
    let at = Position::new(event.column, event.row);
    let pane = if layout.list.contains(at) {
        Some(Pane::List)
    } else if layout.detail.contains(at) {
        Some(Pane::Detail)
    } else {
        None
    };
    match event.kind {
        MouseEventKind::Down(MouseButton::Left) if on_border(layout, at) => Some(Gesture::Grab),
        MouseEventKind::Down(MouseButton::Left) => click(layout, at, pane?),
        MouseEventKind::Drag(MouseButton::Left) if dragging => {
            Some(Gesture::Share(share(layout, at)))
        }
        MouseEventKind::Up(MouseButton::Left) if dragging => Some(Gesture::Release),
        MouseEventKind::Drag(MouseButton::Left) => Some(Gesture::Drag),
        MouseEventKind::Up(MouseButton::Left) => Some(Gesture::Drop),
        MouseEventKind::ScrollDown => Some(Gesture::Scroll {
            pane: pane?,
            down: true,
        }),
        MouseEventKind::ScrollUp => Some(Gesture::Scroll {
            pane: pane?,
            down: false,
        }),
        _ => None,
    }
}

fn click(layout: &Layout, at: Position, pane: Pane) -> Option<Gesture> {
    let rows = inner(layout.list);
    if layout.tabs().contains(at) {
        tab_at(layout, at.x).map(Gesture::Tab)
    } else if rows.contains(at) {
        Some(Gesture::Row(usize::from(at.y - rows.y)))
    } else {
        Some(Gesture::Focus(pane))
    }
}

fn tab_at(layout: &Layout, column: u16) -> Option<Tab> {
    let (mut x, room) = (layout.tabs().x, layout.tabs().width);
    Tab::ALL.into_iter().find(|tab| {
        let from = x;
        x = x.saturating_add(tab.cells(room));
        (from..x).contains(&column)
    })
}

/// Returns whether a position is on the border between the panes: the last column or row of the
/// list, or the first of the detail.
fn on_border(layout: &Layout, at: Position) -> bool {
    let Layout { list, detail, .. } = layout;
    if list.area() == 0 || detail.area() == 0 {
        return false;
    }
    if is_beside(layout) {
        (at.x + 1 == detail.x || at.x == detail.x) && (list.y..list.bottom()).contains(&at.y)
    } else {
        at.y == detail.y
    }
}

fn share(layout: &Layout, at: Position) -> u16 {
    let Rect {
        x,
        y,
        width,
        height,
    } = layout.list.union(layout.detail);
    let (part, whole) = if is_beside(layout) {
        (at.x.saturating_sub(x), width)
    } else {
        (at.y.saturating_sub(y), height)
    };
    let percent = u32::from(part) * 100 / u32::from(whole.max(1));
    u16::try_from(percent).unwrap_or(100).clamp(20, 80)
}

fn is_beside(layout: &Layout) -> bool {
    layout.detail.x > 0
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyModifiers;
    use ratatui::layout::Size;

    use super::*;

    fn at(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
        MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }
    }

    #[test]
    fn a_click_means_what_is_drawn_there() {
        let layout = Layout::of(Size::new(120, 40), Pane::List, Some(50)).unwrap();
        let click = |x, y| {
            gesture(
                &layout,
                at(MouseEventKind::Down(MouseButton::Left), x, y),
                false,
            )
        };
        assert_eq!(click(5, 3), Some(Gesture::Row(0)));
        assert_eq!(click(5, 13), Some(Gesture::Row(10)));
        assert_eq!(click(5, 0), None);
        let tabs = layout.tabs();
        assert_eq!(click(tabs.x, tabs.y), Some(Gesture::Tab(Tab::Summary)));
        assert_eq!(click(tabs.x + 10, tabs.y), Some(Gesture::Tab(Tab::Params)));
        let narrow = Layout::of(Size::new(120, 40), Pane::List, Some(58)).unwrap();
        let (tabs, down) = (narrow.tabs(), MouseEventKind::Down(MouseButton::Left));
        let last = gesture(&narrow, at(down, tabs.right() - 1, tabs.y), false);
        assert_eq!(
            last,
            Some(Gesture::Tab(Tab::Diff)),
            "the last one is within"
        );
        assert_eq!(
            click(tabs.x, tabs.y + 5),
            Some(Gesture::Focus(Pane::Detail))
        );
    }

    #[test]
    fn the_border_is_dragged_within_limits() {
        let layout = Layout::of(Size::new(120, 40), Pane::List, Some(50)).unwrap();
        let border = layout.detail.x;
        let down = at(MouseEventKind::Down(MouseButton::Left), border, 9);
        assert_eq!(gesture(&layout, down, false), Some(Gesture::Grab));
        let drag = |x| {
            gesture(
                &layout,
                at(MouseEventKind::Drag(MouseButton::Left), x, 9),
                true,
            )
        };
        assert_eq!(drag(36), Some(Gesture::Share(30)));
        assert_eq!(drag(0), Some(Gesture::Share(20)));
        let tall = Layout::of(Size::new(80, 24), Pane::List, Some(50)).unwrap();
        let down = at(MouseEventKind::Down(MouseButton::Left), 9, tall.detail.y);
        assert_eq!(gesture(&tall, down, false), Some(Gesture::Grab));
    }
}
