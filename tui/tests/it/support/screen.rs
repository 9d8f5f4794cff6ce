//! A screen that a script reads and types on.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossterm::event::{Event as Input, KeyEvent};
use podtap_tui::{KeyPress, Screen};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;

/// The UI's side of the scripted terminal.
pub(super) struct TestScreen {
    terminal: Terminal<Published>,
    keys: mpsc::Receiver<Input>,
}

/// The script's side of the scripted terminal.
pub(crate) struct Person {
    keys: mpsc::Sender<Input>,
    frames: watch::Receiver<String>,
    drawn: Arc<AtomicU64>,
    token: CancellationToken,
}

/// Creates both sides. The UI ends when `token` is cancelled.
pub(super) fn screen(width: u16, height: u16, token: CancellationToken) -> (TestScreen, Person) {
    let (sender, keys) = mpsc::channel(64);
    let (publish, frames) = watch::channel(String::new());
    let drawn = Arc::new(AtomicU64::new(0));
    let backend = Published {
        inner: TestBackend::new(width, height),
        publish,
        drawn: Arc::clone(&drawn),
    };
    let terminal = Terminal::new(backend).unwrap();
    (
        TestScreen { terminal, keys },
        Person {
            keys: sender,
            frames,
            drawn,
            token,
        },
    )
}

impl Screen for TestScreen {
    type Backend = Published;

    fn terminal(&mut self) -> &mut Terminal<Published> {
        &mut self.terminal
    }

    async fn input(&mut self) -> Option<io::Result<Input>> {
        self.keys.recv().await.map(Ok)
    }

    fn leave(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn enter(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn stop(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn copy(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn ring(&mut self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

impl Person {
    /// Ends the UI from outside, as the end of the program does.
    pub(crate) fn end(&self) {
        self.token.cancel();
    }

    /// Presses keys in the notation of the help.
    pub(crate) async fn press(&self, keys: &str) {
        for key in keys.split(' ') {
            let key: KeyPress = key.parse().unwrap();
            self.keys
                .send(Input::Key(KeyEvent::from(key)))
                .await
                .unwrap();
        }
    }

    pub(crate) async fn paste(&self, text: &str) {
        self.keys.send(Input::Paste(text.to_owned())).await.unwrap();
    }

    /// Waits until the screen shows `wanted`.
    pub(crate) async fn sees(&mut self, wanted: &str) -> String {
        self.waits_for(wanted, |frame| frame.contains(wanted)).await
    }

    /// Waits until the screen no longer shows `unwanted`.
    pub(crate) async fn no_longer_sees(&mut self, unwanted: &str) -> String {
        self.waits_for(unwanted, |frame| !frame.contains(unwanted))
            .await
    }

    /// Returns the number of frames that have been drawn.
    pub(crate) fn frames(&self) -> u64 {
        self.drawn.load(Ordering::SeqCst)
    }

    /// Waits until this number of frames has been drawn.
    pub(crate) async fn draws(&mut self, frames: u64) {
        let drawn = Arc::clone(&self.drawn);
        let enough = move |_: &str| drawn.load(Ordering::SeqCst) >= frames;
        self.waits_for("more frames", enough).await;
    }

    async fn waits_for(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let seen = timeout(PATIENCE, self.frames.wait_for(|frame| holds(frame))).await;
        let seen = seen.map(|frame| frame.map(|frame| frame.clone()));
        match seen {
            Ok(Ok(frame)) => frame,
            Ok(Err(_)) => panic!("the UI ended before: {what}"),
            Err(elapsed) => panic!(
                "waited in vain ({elapsed}) for: {what}\n{}",
                *self.frames.borrow()
            ),
        }
    }
}

/// A test backend that publishes its frames.
pub(super) struct Published {
    inner: TestBackend,
    publish: watch::Sender<String>,
    drawn: Arc<AtomicU64>,
}

impl Backend for Published {
    type Error = Infallible;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(
        &mut self,
        content: I,
    ) -> Result<(), Infallible> {
        self.inner.draw(content)
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> Result<(), Infallible> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> Result<Size, Infallible> {
        self.inner.size()
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        self.drawn.fetch_add(1, Ordering::SeqCst);
        let buffer = self.inner.buffer();
        let width = usize::from(buffer.area().width);
        let lines = buffer.content().chunks(width);
        let line = |line: &[Cell]| line.iter().map(Cell::symbol).collect::<String>();
        let frame = lines.map(line).collect::<Vec<_>>().join("\n");
        self.publish.send_replace(frame);
        Ok(())
    }
}
