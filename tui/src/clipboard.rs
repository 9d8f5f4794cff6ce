//! Writes to the system's clipboard, in addition to the terminal's. A thread holds the clipboard:
//! under X11, copied text is available only while the program that copied it keeps the clipboard
//! open. Without a display nothing happens, and no caller waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Maximum size of a text to copy, in bytes.
const MOST: usize = 1024 * 1024;

/// The clipboard. The thread ends when this value is dropped.
#[derive(Debug)]
pub(crate) struct Clipboard {
    slot: Arc<ClipboardSlot>,
    thread: Option<JoinHandle<()>>,
}

impl Clipboard {
    /// Starts the thread. It opens the clipboard only when something is copied.
    pub(crate) fn start() -> Self {
        Self::serve(SystemClipboard(None))
    }

    fn serve(mut sink: impl Sink) -> Self {
        let slot = Arc::new(ClipboardSlot::default());
        let texts = Arc::clone(&slot);
        let started = std::thread::Builder::new()
            .name("podtap-clipboard".to_owned())
            .spawn(move || {
                while let Some(text) = texts.wait() {
                    sink.set(text);
                }
            });
        Self {
            slot,
            thread: started.ok(),
        }
    }

    /// Passes a text to the thread. Bytes that are not UTF-8 or too long go
    /// only to the terminal's clipboard.
    pub(crate) fn copy(&self, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).ok();
        if let Some(text) = text.filter(|text| text.len() <= MOST) {
            self.slot.put(text.to_owned());
        }
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        self.slot.close();
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, there is nothing left to do.
            let _ = thread.join();
        }
    }
}

/// The newest text that the thread has not taken. A newer text replaces it, as in any clipboard.
#[derive(Debug, Default)]
struct ClipboardSlot {
    content: Mutex<SlotContent>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SlotContent {
    newest: Option<String>,
    is_closed: bool,
}

impl ClipboardSlot {
    fn put(&self, text: String) {
        self.lock().newest = Some(text);
        self.changed.notify_one();
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Waits for a text. Returns `None` after the slot was closed and its text was taken.
    fn wait(&self) -> Option<String> {
        let is_idle = |content: &mut SlotContent| content.newest.is_none() && !content.is_closed;
        let content = self.changed.wait_while(self.lock(), is_idle);
        let mut content = content.unwrap_or_else(PoisonError::into_inner);
        content.newest.take()
    }

    fn lock(&self) -> MutexGuard<'_, SlotContent> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the thread writes texts.
trait Sink: Send + 'static {
    fn set(&mut self, text: String);
}

/// The system's clipboard, once it could be opened.
struct SystemClipboard(Option<arboard::Clipboard>);

impl Sink for SystemClipboard {
    fn set(&mut self, text: String) {
        if self.0.is_none() {
            self.0 = arboard::Clipboard::new()
                .inspect_err(|error| tracing::debug!(%error, "there is no system clipboard"))
                .ok();
        }
        if let Some(clipboard) = &mut self.0
            && let Err(error) = clipboard.set_text(text)
        {
            tracing::debug!(%error, "the system clipboard does not accept text");
            self.0 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A clipboard that accepts a text only when the test lets it.
    struct SlowSink {
        begun: Sender<String>,
        may_end: Receiver<()>,
    }

    impl Sink for SlowSink {
        fn set(&mut self, text: String) {
            self.begun.send(text).unwrap();
            self.may_end.recv().unwrap();
        }
    }

    #[test]
    fn the_newest_text_is_kept_while_the_system_is_slow() {
        let (begun, texts) = channel();
        let (end, may_end) = channel();
        let clipboard = Clipboard::serve(SlowSink { begun, may_end });
        clipboard.copy(b"first");
        assert_eq!(texts.recv().unwrap(), "first");
        for text in ["second", "third", "fourth", "newest"] {
            clipboard.copy(text.as_bytes());
        }
        clipboard.copy(&vec![b'a'; MOST + 1]);
        clipboard.copy(b"\xff is not UTF-8");
        end.send(()).unwrap();
        assert_eq!(texts.recv().unwrap(), "newest");
        end.send(()).unwrap();
        drop(clipboard);
        assert!(texts.recv().is_err(), "nothing else was copied");
    }
}
