//! What a person types, where the system tells of the terminal's end by itself.

use std::io;

use crossterm::event::{Event as Input, EventStream};
use futures_util::StreamExt as _;

/// The keyboard and the mouse of the terminal, while this lives.
pub(super) struct Keys(EventStream);

impl Keys {
    /// Begins to read.
    ///
    /// # Errors
    /// None here.
    pub(super) fn read() -> io::Result<Self> {
        Ok(Self(EventStream::new()))
    }

    /// The next thing that a person did.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is ready.
    pub(super) async fn next(&mut self) -> Option<io::Result<Input>> {
        self.0.next().await
    }
}
