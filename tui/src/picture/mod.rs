//! Pictures of the UI for documents: the real thing, drawn without a terminal, as SVG. Called by
//! `podtap`'s hidden subcommand that makes the README's pictures.

mod glyph;
mod svg;

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

pub use svg::{Palette, svg};

use crate::config::Config;
use crate::keymap::Key;
use crate::sitting::Sitting;

/// The frame that somebody sees on a screen of `size` who opens the UI at `now`, presses `keys`
/// one after the other, and waits until everything has been read.
///
/// # Cancel safety
/// Nothing is left behind when this is dropped.
pub async fn frame(
    agent: AgentHandle,
    config: Config,
    size: Size,
    now: Timestamp,
    keys: &[Key],
) -> Buffer {
    let mut sitting = Sitting::open(agent, config, size, now);
    sitting.settled().await;
    for key in keys {
        sitting.press(*key);
        sitting.settled().await;
    }
    let Ok(mut terminal) = Terminal::new(TestBackend::new(size.width, size.height));
    let Ok(()) = sitting.draw(&mut terminal);
    terminal.backend().buffer().clone()
}
