//! The border of a pane with a title at either end.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::line::{Line, cells, cut_before};
use crate::theme::{Role, Theme};

/// A border. The focused pane's is in the accent colour and thick where there is none.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Whether keys go here.
    pub(crate) focused: bool,
    /// What stands in its edges.
    pub(crate) titles: Titles,
}

/// What stands in the edges of a border.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    /// At the left; cut where there is no room.
    pub(crate) left: Line,
    /// At the right; left out where there is no room.
    pub(crate) right: Line,
    /// In the lower edge; cut where there is no room.
    pub(crate) below: Line,
}

impl Frame {
    /// Draws the border along the edge of `area`.
    pub(crate) fn draw(self, area: Rect, theme: Theme, buffer: &mut Buffer) {
        let role = if self.focused {
            Role::Accent
        } else {
            Role::Quiet
        };
        let kind = match (self.focused, theme) {
            (true, Theme::Monochrome) => BorderType::Thick,
            _ => BorderType::Rounded,
        };
        let block = Block::bordered()
            .border_type(kind)
            .border_style(theme.style(role));
        (area.y..area.bottom()).for_each(|y| cut_before(area.x, y, buffer));
        block.render(area, buffer);

        let room = usize::from(area.width).saturating_sub(4);
        let left = padded(self.titles.left);
        let right = padded(self.titles.right);
        let below = padded(self.titles.below);
        let edge = Rect {
            x: area.x + 1,
            y: area.bottom().saturating_sub(1),
            width: cells(below.width().min(room)),
            height: 1,
        };
        below.draw(edge, theme, buffer);
        let used = left.width().min(room);
        let edge = Rect {
            x: area.x + 1,
            y: area.y,
            width: cells(used),
            height: 1,
        };
        left.draw(edge, theme, buffer);
        if used + right.width() < room {
            let x = area.right() - 1 - cells(right.width());
            let edge = Rect {
                x,
                y: area.y,
                width: cells(right.width()),
                height: 1,
            };
            right.draw(edge, theme, buffer);
        }
    }
}

fn padded(title: Line) -> Line {
    if title.width() == 0 {
        title
    } else {
        Line::new().space(1).join(title).space(1)
    }
}
