//! Defines the commands that a feature returns in addition to its new state: the only way for a
//! feature to cause work. `App` passes them on.

use crate::theme::Role;

/// A command of a feature; `E` is the feature's type of effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UiCommand<E> {
    /// Carries out the effect.
    Run(E),
    /// Ends the work in this slot.
    Stop(Slot),
    /// Copies these bytes to the clipboard of the person's terminal.
    Copy(Vec<u8>),
    /// Shows a notice.
    Notify(Role, String),
}

/// A kind of work of which only the latest matters, or which a person can stop.
/// New work in a slot ends the former.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    /// Loading a page of the list.
    Page,
    /// Counting the events of the list.
    Total,
    /// The question to Podio.
    Explanation,
    /// The import of an archive.
    Import,
}

impl<E> UiCommand<E> {
    /// Creates a command that shows a notice.
    pub(crate) fn notify(role: Role, text: impl Into<String>) -> Self {
        Self::Notify(role, text.into())
    }
}
