//! Computes the areas of the screen from its size and from what is open. Pure. Drawing, scrolling
//! and the mouse all use it, so that they agree.

use ratatui::layout::{Rect, Size};

/// A pane that can receive the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pane {
    /// The list of events.
    #[default]
    List,
    /// The open event.
    Detail,
}

/// The smallest screen on which everything is usable.
pub(crate) const SMALLEST: Size = Size {
    width: 60,
    height: 15,
};

/// Minimum width of a screen on which the detail is beside the list.
const WIDE: u16 = 110;

/// Minimum width of the detail beside the list, in cells: the width of its tabs.
const DETAIL: u16 = 49;

/// Minimum width of a screen on which the header needs only one row.
const BROAD: u16 = 160;

/// Minimum height of a screen on which the detail is below the list. On a
/// lower one, only one of them is shown.
const TALL: u16 = 20;

/// The areas of the screen. An area that is not shown is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Layout {
    /// Tunnel, link, service, rates.
    pub(crate) header: Rect,
    /// The list with its border.
    pub(crate) list: Rect,
    /// The detail with its border.
    pub(crate) detail: Rect,
    /// Keys and toasts.
    pub(crate) footer: Rect,
}

impl Layout {
    /// Returns the areas of a screen; `None` if the screen is too small. `share` is the list's
    /// part, in per cent, of the space that it shares with the detail. Without a share, the
    /// focused pane has all of that space.
    pub(crate) fn of(screen: Size, focus: Pane, share: Option<u16>) -> Option<Self> {
        if screen.width < SMALLEST.width || screen.height < SMALLEST.height {
            return None;
        }
        let header_height = if screen.width < BROAD && screen.height >= TALL {
            2
        } else {
            1
        };
        let row = |y, height| Rect::new(0, y, screen.width, height);
        let header = row(0, header_height);
        let footer = row(screen.height - 1, 1);
        let body = row(header_height, screen.height - 1 - header_height);
        let [list, detail] = if let Some(share) = share.filter(|_| screen.width >= WIDE) {
            let width = part(body.width, share).min(body.width - DETAIL);
            let x = body.x + width;
            [
                Rect { width, ..body },
                Rect {
                    x,
                    width: body.width - width,
                    ..body
                },
            ]
        } else if let Some(share) = share.filter(|_| screen.height >= TALL) {
            let height = part(body.height, share);
            let y = body.y + height;
            [
                Rect { height, ..body },
                Rect {
                    y,
                    height: body.height - height,
                    ..body
                },
            ]
        } else if focus == Pane::List {
            [body, Rect::default()]
        } else {
            [Rect::default(), body]
        };
        Some(Self {
            header,
            list,
            detail,
            footer,
        })
    }

    /// Returns the number of rows of the list on the screen.
    pub(crate) fn list_height(&self) -> usize {
        inner(self.list).height.into()
    }

    /// Returns the area of the lines of the open tab.
    pub(crate) fn sheet(&self) -> Rect {
        let Rect {
            x,
            y,
            width,
            height,
        } = inner(self.detail);
        let tabs = height.min(2);
        Rect {
            x,
            y: y + tabs,
            width,
            height: height - tabs,
        }
    }

    /// Returns the row of tabs.
    pub(crate) fn tabs(&self) -> Rect {
        let area = inner(self.detail);
        Rect {
            height: area.height.min(1),
            ..area
        }
    }
}

/// Returns `share` per cent of `whole`, rounded to the nearest.
fn part(whole: u16, share: u16) -> u16 {
    let part = (u32::from(whole) * u32::from(share.min(100)) + 50) / 100;
    u16::try_from(part).unwrap_or(whole)
}

/// Returns the area inside a border, without one empty column at each side.
pub(crate) fn inner(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(2),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// Cells to the left and right of a table, together, that are too few to show anything useful.
const SLIVERS: u16 = 16;

/// Returns the area of a window in the middle of the screen, at most as large as requested.
pub(crate) fn centered(screen: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(screen.width.saturating_sub(4));
    let height = height.min(screen.height.saturating_sub(2));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// Returns the area of a window for a table. If only [`SLIVERS`] cells would remain
/// beside it, it takes the full width.
pub(crate) fn table(screen: Rect, width: u16) -> Rect {
    let centered = centered(screen, width, u16::MAX);
    if screen.width - centered.width > SLIVERS {
        return centered;
    }
    let Rect { x, width, .. } = screen;
    Rect {
        x,
        width,
        ..centered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::cells;

    const SHARE: Option<u16> = Some(50);

    #[test]
    fn wide_screens_put_the_detail_beside_and_tall_ones_below() {
        let wide = Layout::of(Size::new(120, 40), Pane::List, SHARE).unwrap();
        assert!(wide.detail.x > 0 && wide.detail.y == wide.list.y);
        let tall = Layout::of(Size::new(80, 24), Pane::List, SHARE).unwrap();
        assert!(tall.detail.x == 0 && tall.detail.y == tall.list.bottom());
    }

    #[test]
    fn on_the_smallest_screen_the_focused_pane_has_it_all() {
        let list = Layout::of(SMALLEST, Pane::List, SHARE).unwrap();
        assert_eq!((list.list_height(), list.detail.area()), (11, 0));
        let detail = Layout::of(SMALLEST, Pane::Detail, SHARE).unwrap();
        assert_eq!((detail.sheet().height, detail.list.area()), (9, 0));
        assert_eq!(Layout::of(Size::new(59, 15), Pane::List, SHARE), None);
        assert_eq!(Layout::of(Size::new(60, 14), Pane::List, SHARE), None);
    }

    #[test]
    fn every_tab_is_there_however_narrow_the_detail_is() {
        for width in 60..220 {
            for share in [20, 58, 80] {
                let at = Layout::of(Size::new(width, 40), Pane::Detail, Some(share)).unwrap();
                let room = at.tabs().width;
                let tabs = crate::detail::Tab::ALL.map(|tab| tab.cells(room));
                let tabs = tabs.iter().sum::<u16>() - cells(crate::detail::Tab::gap(room));
                assert!(tabs <= room, "{width}: {tabs} cells of tabs in {room}");
            }
        }
    }

    #[test]
    fn regions_never_overlap_and_never_leave_the_screen() {
        for width in 60..220 {
            for height in 15..70 {
                let screen = Rect::new(0, 0, width, height);
                let at = Layout::of(Size::new(width, height), Pane::List, SHARE).unwrap();
                let regions = [at.header, at.list, at.detail, at.footer];
                let area: u32 = regions.iter().map(|region| region.area()).sum();
                assert_eq!(area, screen.area(), "{width}×{height}");
                assert!(regions.iter().all(|region| screen.union(*region) == screen));
            }
        }
    }

    #[test]
    fn a_table_leaves_no_slivers_beside_it() {
        let at = |width| table(Rect::new(0, 0, width, 24), 100);
        assert_eq!(at(80), Rect::new(0, 1, 80, 22));
        assert_eq!(at(116), Rect::new(0, 1, 116, 22));
        assert_eq!(at(120), Rect::new(10, 1, 100, 22));
    }
}
