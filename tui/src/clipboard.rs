//! Writes to the system's clipboard, in addition to the terminal's. A thread holds the clipboard:
//! under X11, copied text is available only while the program that copied it keeps the clipboard
//! open. Without a display nothing happens, and no caller waits.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Maximum number of texts that wait for the thread. If that many wait, a new text is dropped.
const QUEUED: usize = 2;

/// Maximum size of a text to copy, in bytes.
const MOST: usize = 1024 * 1024;

/// The clipboard. The thread ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Clipboard {
    /// `None` when the thread must end.
    texts: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Clipboard {
    /// Starts the thread. It opens the clipboard only when something is copied.
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

    /// Passes a text to the thread. Bytes that are not UTF-8 or too long go
    /// only to the terminal's clipboard.
    pub(crate) fn copy(&self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).ok();
        let text = text.filter(|text| text.len() <= MOST);
        if let (Some(texts), Some(text)) = (&self.texts, text) {
            // If the thread has ended or is behind, the text is dropped instead of waiting.
            let _ = texts.try_send(text.to_owned());
        }
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        self.texts = None;
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, there is nothing left to do.
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
