//! The real terminal: raw mode, the alternate screen, mouse and paste. It is restored when dropped,
//! by the panic hook (even if a panic aborts), and while the process is suspended.

#[cfg(unix)]
mod keys;
#[cfg(not(unix))]
mod stream;

use std::io::{self, Stdout, Write as _, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event as Input,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Position, Rect};

use crate::clipboard::Clipboard;
use crate::config::UiConfig;
use crate::runtime::Screen;
#[cfg(unix)]
use keys::Keys;
#[cfg(not(unix))]
use stream::Keys;

/// The process's terminal, which is restored when this value is dropped.
pub(crate) struct TerminalScreen {
    terminal: Terminal<CrosstermBackend<TerminalWriter>>,
    /// `None` while another program uses the terminal, because the thread of [`Keys`] always reads.
    input: Option<Keys>,
    mouse: bool,
    tmux: bool,
    /// The system's clipboard, if it is the person's.
    clipboard: Option<Clipboard>,
    taken: Arc<AtomicBool>,
}

impl TerminalScreen {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// If stdout is not a terminal, or returns an error.
    pub(crate) fn take(config: &UiConfig) -> io::Result<Self> {
        let taken = Arc::new(AtomicBool::new(false));
        restore_on_panic(Arc::clone(&taken));
        let out = TerminalWriter {
            stdout: stdout(),
            taken: Arc::clone(&taken),
        };
        let terminal = Terminal::new(CrosstermBackend::new(out))?;
        let mut screen = Self {
            terminal,
            input: None,
            mouse: config.mouse,
            tmux: config.tmux,
            // Over SSH, the clipboard of this machine is not the person's.
            clipboard: (!config.remote).then(Clipboard::start),
            taken,
        };
        screen.enter()?;
        Ok(screen)
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        // An error cannot be reported any more, and nothing else can be tried.
        let _ = self.leave();
    }
}

impl std::fmt::Debug for TerminalScreen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TerminalScreen")
            .field("mouse", &self.mouse)
            .finish_non_exhaustive()
    }
}

impl Screen for TerminalScreen {
    type Backend = CrosstermBackend<TerminalWriter>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        &mut self.terminal
    }

    async fn input(&mut self) -> Option<io::Result<Input>> {
        self.input.as_mut()?.next().await
    }

    fn enter(&mut self) -> io::Result<()> {
        self.taken.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        if self.mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        // Clears the screen without asking the terminal for the position of
        // its cursor, as `clear` would.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Position::ORIGIN, size)))?;
        self.input = Some(Keys::read()?);
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        self.input = None;
        restore(&self.taken)
    }

    async fn stop(&mut self) -> io::Result<()> {
        stop().await
    }

    fn copy(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(system) = &self.clipboard {
            system.copy(bytes);
        }
        let mut out = stdout();
        out.write_all(clipboard(bytes, self.tmux).as_bytes())?;
        out.flush()
    }

    fn ring(&mut self, sequence: &str) -> io::Result<()> {
        let mut out = stdout();
        out.write_all(sequence.as_bytes())?;
        out.flush()
    }
}

/// Maximum time to wait until the process stops. The system does not stop a process whose job
/// cannot be continued; such a process goes on after this time.
#[cfg(unix)]
const STOPS_WITHIN: Duration = Duration::from_millis(500);

/// Stops the whole job, as the terminal does on ctrl-z, until the shell continues it.
/// Another thread may receive the signal, so this one may run on for a moment. It
/// waits for the continuation, or for [`STOPS_WITHIN`], so that it does not take over
/// the terminal before it has stopped.
#[cfg(unix)]
async fn stop() -> io::Result<()> {
    use rustix::process::{Signal, kill_current_process_group};
    use tokio::signal::unix::{SignalKind, signal};
    let mut continued = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
    kill_current_process_group(Signal::TSTP)?;
    let _ = tokio::time::timeout(STOPS_WITHIN, continued.recv()).await;
    Ok(())
}

/// Does nothing: other systems cannot stop a process, so the screen is only drawn again.
#[cfg(not(unix))]
async fn stop() -> io::Result<()> {
    Ok(())
}

/// The writer for frames. It discards its input once the terminal is restored, because a panic on
/// another thread may restore the terminal just before the loop draws.
pub(crate) struct TerminalWriter {
    stdout: Stdout,
    taken: Arc<AtomicBool>,
}

impl io::Write for TerminalWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.taken.load(Ordering::SeqCst) {
            self.stdout.write(bytes)
        } else {
            Ok(bytes.len())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.taken.load(Ordering::SeqCst) {
            self.stdout.flush()
        } else {
            // Nothing is flushed after the restoration: if that failed,
            // ratatui would print the error.
            Ok(())
        }
    }
}

/// Makes a panic restore the terminal before its message is printed.
fn restore_on_panic(taken: Arc<AtomicBool>) {
    let inner = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let _ = restore(&taken);
        inner(info);
    }));
}

/// Restores the terminal, once.
fn restore(taken: &AtomicBool) -> io::Result<()> {
    if !taken.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let left = execute!(
        stdout(),
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        crossterm::cursor::Show
    );
    disable_raw_mode()?;
    left
}

/// Returns the sequence that sets the clipboard of the terminal (OSC 52), which also works over
/// SSH. tmux handles the sequence itself if `set-clipboard` is on, and otherwise passes on a
/// wrapped one if `allow-passthrough` is on, so both are sent.
fn clipboard(bytes: &[u8], tmux: bool) -> String {
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(bytes));
    if tmux {
        let wrapped = sequence.replace('\x1b', "\x1b\x1b");
        format!("{sequence}\x1bPtmux;{wrapped}\x1b\\")
    } else {
        sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_is_filled_through_tmux_too() {
        assert_eq!(clipboard(b"hi", false), "\x1b]52;c;aGk=\x07");
        let wrapped = "\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\";
        assert_eq!(
            clipboard(b"hi", true),
            format!("\x1b]52;c;aGk=\x07{wrapped}")
        );
    }
}
