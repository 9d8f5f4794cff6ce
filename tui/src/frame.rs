//! Draws the border of a pane with titles in its edges.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Widget};

use crate::line::{Line, cells, cut_before};
use crate::theme::{Role, Theme};

/// A border. The border of the focused pane has the accent colour, or thick
/// lines if there are no colours.
#[derive(Debug)]
pub(crate) struct Frame {
    /// Whether the pane receives the keys.
    pub(crate) focused: bool,
    /// The titles in the edges.
    pub(crate) titles: Titles,
}

/// The titles in the edges of a border.
#[derive(Debug, Default)]
pub(crate) struct Titles {
    /// At the left; cut if there is not enough room.
    pub(crate) left: Line,
    /// At the right; left out if there is not enough room.
    pub(crate) right: Line,
    /// In the lower edge; cut if there is not enough room.
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
        let left = pad_title(self.titles.left);
        let right = pad_title(self.titles.right);
        let below = pad_title(self.titles.below);
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

fn pad_title(title: Line) -> Line {
    if title.width() == 0 {
        title
    } else {
        Line::new().space(1).join(title).space(1)
    }
}
