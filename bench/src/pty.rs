//! Runs a program in a real pseudo-terminal: sends keys, and reads the screen. For tests and
//! benchmarks of programs that draw on terminals.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context as _;
pub use portable_pty::{Child, CommandBuilder, ExitStatus};
use portable_pty::{MasterPty, PtySize, native_pty_system};

use crate::now_ns;
use crate::picture::{Palette, svg};

/// A terminal of a certain size, and the program in it.
pub struct Pty {
    state: Arc<Mutex<PtyState>>,
    keys: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    child: Box<dyn Child + Send + Sync>,
    reader: Option<JoinHandle<()>>,
    closing: Arc<AtomicBool>,
    before: String,
}

/// The output of the program so far.
struct PtyState {
    screen: vt100::Parser<TerminalRequests>,
    bytes: u64,
    last_ns: u64,
}

/// What a program has sent to the terminal in addition to what it draws.
#[derive(Debug, Default)]
struct TerminalRequests {
    /// The last content of the clipboard, in base64.
    clipboard: Vec<u8>,
    /// Number of times that the program rang the bell.
    bells: usize,
    /// Notifications that the program sent.
    notices: Vec<String>,
}

impl vt100::Callbacks for TerminalRequests {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.clipboard = data.to_vec();
    }

    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parts: &[&[u8]]) {
        if let Some((&b"9" | &b"777", text)) = parts.split_first() {
            let text = text.join(&b';');
            self.notices
                .push(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

/// How much a program has drawn.
#[derive(Debug, Clone, Copy)]
pub struct DrawnAmount {
    pub bytes: u64,
    /// When the last bytes arrived, in nanoseconds since 1970.
    pub last_ns: u64,
}

impl Pty {
    /// Starts a program in a terminal of `cols` × `rows`.
    ///
    /// # Errors
    /// If the system has no terminal available, or if the program does not exist.
    pub fn start(command: CommandBuilder, cols: u16, rows: u16) -> anyhow::Result<Self> {
        let pair = native_pty_system().openpty(size(cols, rows))?;
        let before = modes(&*pair.master);
        let child = pair.slave.spawn_command(command)?;
        let told = TerminalRequests::default();
        let screen = vt100::Parser::new_with_callbacks(nonzero(rows), nonzero(cols), 0, told);
        let state = Arc::new(Mutex::new(PtyState {
            screen,
            bytes: 0,
            last_ns: 0,
        }));
        let closing = Arc::new(AtomicBool::new(false));
        let mut output = pair.master.try_clone_reader()?;
        let reader = {
            let (state, closing) = (Arc::clone(&state), Arc::clone(&closing));
            move || {
                let mut bytes = [0; 8192];
                while let Ok(read @ 1..) = output.read(&mut bytes) {
                    let mut state = lock(&state);
                    state.screen.process(bytes.get(..read).unwrap_or_default());
                    state.bytes += read as u64;
                    state.last_ns = now_ns();
                    if closing.load(Ordering::SeqCst) {
                        break;
                    }
                }
            }
        };
        let reader = std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(reader)?;
        let keys = pair.master.take_writer()?;
        Ok(Self {
            state,
            keys: Some(keys),
            master: Some(pair.master),
            child,
            reader: Some(reader),
            closing,
            before,
        })
    }

    /// Returns the text on the screen.
    pub fn text(&self) -> String {
        self.screen(vt100::Screen::contents)
    }

    /// Returns the screen as a picture.
    pub fn picture(&self, palette: &Palette, title: &str) -> String {
        self.screen(|screen| svg(screen, palette, title))
    }

    /// Returns the last content of the terminal's clipboard, in base64.
    pub fn clipboard(&self) -> Vec<u8> {
        lock(&self.state).screen.callbacks().clipboard.clone()
    }

    /// Returns the number of times that the program rang the bell.
    pub fn bells(&self) -> usize {
        lock(&self.state).screen.callbacks().bells
    }

    /// Returns the notifications that the program sent.
    pub fn notices(&self) -> Vec<String> {
        lock(&self.state).screen.callbacks().notices.clone()
    }

    /// Returns whether the alternate screen is active, on which full-screen programs draw.
    pub fn is_alternate(&self) -> bool {
        self.screen(vt100::Screen::alternate_screen)
    }

    fn screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(lock(&self.state).screen.screen())
    }

    /// Returns how much has been drawn.
    pub fn drawn_amount(&self) -> DrawnAmount {
        let state = lock(&self.state);
        DrawnAmount {
            bytes: state.bytes,
            last_ns: state.last_ns,
        }
    }

    /// Returns how the terminal differs from its state at the start of the
    /// program, in words; empty if it does not.
    pub fn traces(&self) -> Vec<String> {
        let mut traces = self.screen(|screen| {
            let modes = [
                (screen.alternate_screen(), "the alternate screen is shown"),
                (screen.hide_cursor(), "the cursor is hidden"),
                (screen.bracketed_paste(), "pasting is bracketed"),
                (
                    screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
                    "the mouse is reported",
                ),
            ];
            let set = modes.into_iter().filter(|(is_set, _)| *is_set);
            set.map(|(_, what)| what.to_owned()).collect::<Vec<_>>()
        });
        if let Some(master) = &self.master {
            let now = modes(&**master);
            if now != self.before {
                traces.push(format!("its modes are {now}, not {}", self.before));
            }
        }
        traces
    }

    /// Types these keys.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn keys(&mut self, keys: &str) -> anyhow::Result<()> {
        let to = self.keys.as_mut().context("the terminal is gone")?;
        to.write_all(keys.as_bytes())?;
        Ok(to.flush()?)
    }

    /// Changes the size of the terminal.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn resize(&mut self, cols: u16, rows: u16) -> anyhow::Result<()> {
        let master = self.master.as_ref().context("the terminal is gone")?;
        let mut state = lock(&self.state);
        state
            .screen
            .screen_mut()
            .set_size(nonzero(rows), nonzero(cols));
        master.resize(size(cols, rows))
    }

    /// Takes the terminal away from the program, as closing a window does. The program must be one
    /// that draws when the size of its terminal changes.
    ///
    /// # Errors
    /// If the terminal is already gone.
    pub fn hang_up(&mut self) -> anyhow::Result<()> {
        self.closing.store(true, Ordering::SeqCst);
        self.resize(81, 25)?;
        if let Some(reader) = self.reader.take() {
            let joined = reader.join();
            anyhow::ensure!(joined.is_ok(), "the terminal's reader has panicked");
        }
        (self.keys, self.master) = (None, None);
        Ok(())
    }

    /// Returns the process id of the program.
    pub fn pid(&self) -> Option<u32> {
        self.child.process_id()
    }

    /// Returns how the program ended, if it has.
    ///
    /// # Errors
    /// If the system does not know.
    pub fn exit_status(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // The program may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl std::fmt::Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pty")
            .field("child", &self.child)
            .finish_non_exhaustive()
    }
}

/// Returns the settings of the line discipline, as text to compare.
#[cfg(unix)]
fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

/// Returns nothing: the settings of a Windows console cannot be read from outside.
#[cfg(not(unix))]
fn modes(_: &dyn MasterPty) -> String {
    String::new()
}

fn lock(state: &Mutex<PtyState>) -> MutexGuard<'_, PtyState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn nonzero(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap_or(NonZeroU16::MIN)
}
