//! Reads the person's input on systems that report the end of the terminal.

use std::io;

use crossterm::event::{Event as Input, EventStream};
use futures_util::StreamExt as _;

/// The keyboard and the mouse of the terminal.
pub(super) struct Keys(EventStream);

impl Keys {
    /// Starts to read.
    ///
    /// # Errors
    /// Never.
    pub(super) fn read() -> io::Result<Self> {
        Ok(Self(EventStream::new()))
    }

    /// Waits for the next input.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped before it is ready.
    pub(super) async fn next(&mut self) -> Option<io::Result<Input>> {
        self.0.next().await
    }
}
