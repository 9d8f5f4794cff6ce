//! The tunnels of one process: the table in which one is chosen, and what of another a person has to
//! know.

#[cfg(test)]
mod tests;
mod view;

use podtap_agent::{LinkState, Status};
use ratatui::layout::Rect;

use crate::command::UiCommand;
use crate::keymap::Action;
use crate::theme::Role;
use crate::widget::cursor;
pub(crate) use view::{area, view};

/// A tunnel as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownTunnel {
    pub(crate) name: String,
    pub(crate) status: Status,
    /// Whether it is the one on the screen.
    pub(crate) is_here: bool,
    /// Whether there is anything to show of it.
    pub(crate) is_open: bool,
}

/// All tunnels, in their order; none where there is but one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tunnels(Vec<ShownTunnel>);

impl Tunnels {
    /// They are so now. Whether anything of it is new, and what has ended since.
    pub(crate) fn update<E>(&mut self, now: Vec<ShownTunnel>) -> (bool, Vec<UiCommand<E>>) {
        let before = std::mem::replace(&mut self.0, now);
        let others = self.0.iter().filter(|tunnel| !tunnel.is_here);
        let ended = others.filter_map(|tunnel| {
            let LinkState::Stopped { reason } = &tunnel.status.link else {
                return None;
            };
            let before = before.iter().find(|before| before.name == tunnel.name);
            let is_news = before.is_none_or(|before| before.status.link != tunnel.status.link);
            let text = format!("The tunnel {} ended: {reason}", tunnel.name);
            is_news.then(|| UiCommand::notify(Role::Failed, text))
        });
        let ended = ended.collect();
        (before != self.0, ended)
    }

    /// Whether there are several.
    fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Which one is on the screen, counted from 1, and how many there are; `None` of one alone.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        let here = self.0.iter().position(|tunnel| tunnel.is_here)?;
        self.are_several().then_some((here + 1, self.0.len()))
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[ShownTunnel] {
        &self.0
    }
}

/// The open table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TunnelsPane {
    rows: Vec<ShownTunnel>,
    cursor: usize,
    top: usize,
}

impl TunnelsPane {
    /// A table of these, the cursor on the one after that on the screen.
    ///
    /// # Errors
    /// What is said where there is nothing to switch to.
    pub(crate) fn of<E>(tunnels: &Tunnels) -> Result<Self, UiCommand<E>> {
        if !tunnels.are_several() {
            let text = "There is one tunnel here; `podtap up` runs several";
            return Err(UiCommand::notify(Role::Quiet, text));
        }
        let rows = tunnels.all().to_vec();
        let here = rows.iter().position(|tunnel| tunnel.is_here);
        let cursor = here.map_or(0, |here| (here + 1) % rows.len().max(1));
        Ok(Self {
            rows,
            cursor,
            top: 0,
        })
    }

    /// They are so now.
    pub(crate) fn update(&mut self, tunnels: &Tunnels) {
        self.rows = tunnels.all().to_vec();
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// The name of the tunnel under the cursor, where there is anything to show of it.
    pub(crate) fn chosen(&self) -> Option<String> {
        let tunnel = self.rows.get(self.cursor)?;
        tunnel.is_open.then(|| tunnel.name.clone())
    }

    /// Moves the cursor.
    pub(crate) fn act(&mut self, action: Action, screen: Rect) {
        let height = view::height(self.rows.len(), screen).max(1);
        if let Some(row) = cursor::step(action, self.cursor, self.rows.len(), height) {
            self.go_to(row, height);
        }
    }

    /// A line of the window was clicked: the row there is selected, and returned.
    pub(crate) fn click(&mut self, line: usize, screen: Rect) -> Option<usize> {
        let height = view::height(self.rows.len(), screen).max(1);
        let row = self.first(height) + line;
        if line >= height || row >= self.rows.len() {
            return None;
        }
        self.go_to(row, height);
        Some(row)
    }

    fn go_to(&mut self, row: usize, height: usize) {
        self.cursor = row;
        self.top = self.first(height);
    }

    fn first(&self, height: usize) -> usize {
        cursor::first(self.top, self.cursor, height)
    }
}
