//! The UI without a terminal and without a clock, for benchmarks. It has the real state, effects
//! and views; only the loop of [`crate::runtime`] is missing.

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Size;

use crate::app::App;
use crate::config::UiConfig;
use crate::executor::Executor;
use crate::keymap::KeyPress;
use crate::message::Message;
use crate::view::view;

/// A UI that a program controls instead of a person.
#[derive(Debug)]
pub struct HeadlessUi {
    app: App,
    executor: Executor,
}

impl HeadlessUi {
    /// Opens the UI at `now`, on a screen of `size`, before anything has been read.
    pub fn open(agent: AgentHandle, config: UiConfig, size: Size, now: Timestamp) -> Self {
        let status = agent.status().borrow().clone();
        let app = App::new(config.clone(), size, now, status);
        let executor = Executor::new(agent, config.zone, config.secrets);
        let mut ui = Self { app, executor };
        ui.update(Message::Tick(now));
        ui
    }

    /// Presses a key and returns immediately.
    pub fn press(&mut self, key: KeyPress) {
        self.update(Message::Key(key.into()));
    }

    /// Waits until the list shows the first rows of the current filter, or
    /// knows that there are none.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped; another call continues.
    pub async fn wait_until_listed(&mut self) {
        while self.app.list.is_coming() && !self.executor.is_idle() {
            self.take_answer().await;
        }
    }

    /// Waits until everything has been read.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped; another call continues.
    pub async fn wait_until_idle(&mut self) {
        while !self.executor.is_idle() {
            self.take_answer().await;
        }
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// If the terminal returns an error.
    pub fn draw<B: Backend>(&self, terminal: &mut Terminal<B>) -> Result<(), B::Error> {
        terminal.draw(|frame| view(&self.app, frame)).map(drop)
    }

    async fn take_answer(&mut self) {
        let answer = self.executor.next().await;
        self.update(Message::Answer(answer));
    }

    fn update(&mut self, message: Message) {
        for effect in self.app.update(message) {
            self.executor.start(effect);
        }
    }
}
