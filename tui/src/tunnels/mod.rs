//! The tunnels of one process: the table in which a person chooses one, and the notices about the
//! tunnels that are not on the screen.

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

/// The current state of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownTunnel {
    pub(crate) name: String,
    pub(crate) status: Status,
    /// Whether this tunnel is on the screen.
    pub(crate) is_here: bool,
    /// Whether the tunnel could be opened.
    pub(crate) is_open: bool,
}

/// All tunnels, in order; empty if there is only one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tunnels(Vec<ShownTunnel>);

impl Tunnels {
    /// Stores the current state. Returns whether anything has changed, and the notices about
    /// tunnels that have stopped since.
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

    /// Returns whether there are several tunnels.
    fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// Returns the number of the tunnel on the screen, from 1, and the number of all
    /// tunnels; `None` if there is only one.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        let here = self.0.iter().position(|tunnel| tunnel.is_here)?;
        self.are_several().then_some((here + 1, self.0.len()))
    }

    /// Returns all tunnels.
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
    /// Creates a table of these tunnels, with the cursor on the tunnel after the one on the screen.
    ///
    /// # Errors
    /// The notice to show if there is only one tunnel.
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

    /// Stores the current state of the tunnels.
    pub(crate) fn update(&mut self, tunnels: &Tunnels) {
        self.rows = tunnels.all().to_vec();
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
    }

    /// Returns the name of the tunnel under the cursor, if it could be opened.
    pub(crate) fn chosen_name(&self) -> Option<String> {
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

    /// Selects the row on a line of the window that was clicked, and returns its index.
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
