//! The system's own clipboard, beside the terminal's: a thread that holds it, since under X11 what
//! was copied is there only as long as whoever copied it. Where there is no display, nothing
//! happens and nobody waits.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Texts that may wait for the thread; one more is left out, since the last is what counts.
const QUEUED: usize = 2;

/// Bytes that are copied at most.
const MOST: usize = 1024 * 1024;

/// The clipboard, while this lives.
#[derive(Debug)]
pub(crate) struct Clipboard {
    /// `None` once it shall end.
    texts: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Clipboard {
    /// Starts the thread; nothing is opened before something is copied.
    pub(crate) fn start() -> Self {
        let (texts, waiting) = sync_channel(QUEUED);
        let started = std::thread::Builder::new()
            .name("podtap-clipboard".to_owned())
            .spawn(move || serve(&waiting));
        Self {
            texts: Some(texts),
            thread: started.ok(),
        }
    }

    /// Puts a text there, soon. What is no text, or too long, is left to the terminal's clipboard.
    pub(crate) fn copy(&self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).ok();
        let text = text.filter(|text| text.len() <= MOST);
        if let (Some(texts), Some(text)) = (&self.texts, text) {
            // A thread that is gone, or behind, is no reason to wait.
            let _ = texts.try_send(text.to_owned());
        }
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        self.texts = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there concerns nobody any more.
            let _ = thread.join();
        }
    }
}

fn serve(texts: &Receiver<String>) {
    let mut system = None;
    while let Ok(text) = texts.recv() {
        if system.is_none() {
            system = arboard::Clipboard::new()
                .inspect_err(|error| tracing::debug!(%error, "there is no system clipboard"))
                .ok();
        }
        if let Some(clipboard) = &mut system
            && let Err(error) = clipboard.set_text(text)
        {
            tracing::debug!(%error, "the system clipboard does not accept text");
            system = None;
        }
    }
}
