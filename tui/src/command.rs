//! What an update leads to beside a new state, as data: the one way in which a feature asks for
//! something to be done. `App` hands it on.

use crate::theme::Role;

/// Something to be done; `E` is what the feature asks of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UiCommand<E> {
    /// Carry this out.
    Run(E),
    /// End the work that holds this slot.
    Stop(Slot),
    /// Put this into the clipboard of the person's terminal.
    Copy(Vec<u8>),
    /// Show a notice.
    Notify(Role, String),
}

/// Work of which only the latest counts, or which a person may stop: new work ends the former.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// The page of the list.
    Page,
    /// The list's total.
    Total,
    /// The question to Podio.
    Explanation,
    /// The archive that is being imported.
    Import,
}

impl<E> UiCommand<E> {
    /// Shows a notice.
    pub(crate) fn notify(role: Role, text: impl Into<String>) -> Self {
        Self::Notify(role, text.into())
    }
}
