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

use crate::app::App;
use crate::config::Config;
use crate::executor::Executor;
use crate::keymap::Key;
use crate::message::Message;
use crate::view::view;

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
    let status = agent.status().borrow().clone();
    let app = App::new(config.clone(), size, now, status);
    let executor = Executor::new(agent, config.zone);
    let mut sitting = Sitting { app, executor };
    sitting.tell(Message::Tick(now)).await;
    for key in keys {
        sitting.tell(Message::Key((*key).into())).await;
    }
    sitting.draw(size)
}

struct Sitting {
    app: App,
    executor: Executor,
}

impl Sitting {
    async fn tell(&mut self, message: Message) {
        let mut message = Some(message);
        while let Some(told) = message.take() {
            let effects = self.app.update(told);
            for effect in effects {
                self.executor.start(effect);
            }
            if !self.executor.is_idle() {
                message = Some(Message::Answer(self.executor.next().await));
            }
        }
    }

    fn draw(&self, size: Size) -> Buffer {
        let Ok(mut terminal) = Terminal::new(TestBackend::new(size.width, size.height));
        let Ok(_) = terminal.draw(|frame| view(&self.app, frame));
        terminal.backend().buffer().clone()
    }
}
