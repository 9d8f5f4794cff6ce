//! The real terminal: raw mode, the alternate screen, mouse and paste; given back when dropped, by
//! the panic hook (also where a panic aborts), and while suspended.

use std::io::{self, Stdout, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
    Event as Input, EventStream,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use crate::runtime::Screen;

/// The process's terminal, taken over while this lives.
pub(crate) struct TerminalScreen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// `None` while the terminal belongs to somebody else, because its reader runs all the time.
    input: Option<EventStream>,
    mouse: bool,
    taken: Arc<AtomicBool>,
}

impl TerminalScreen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When stdout is no terminal, or refuses.
    pub(crate) fn take(mouse: bool) -> io::Result<Self> {
        let taken = Arc::new(AtomicBool::new(false));
        restore_on_panic(Arc::clone(&taken));
        let terminal = Terminal::new(CrosstermBackend::new(stdout()))?;
        let mut screen = Self {
            terminal,
            input: None,
            mouse,
            taken,
        };
        screen.enter()?;
        Ok(screen)
    }

    fn enter(&mut self) -> io::Result<()> {
        self.taken.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        if self.mouse {
            execute!(stdout(), EnableMouseCapture)?;
        }
        self.terminal.clear()?;
        self.input = Some(EventStream::new());
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        self.input = None;
        give_back(&self.taken)
    }
}

impl Drop for TerminalScreen {
    fn drop(&mut self) {
        // There is nobody left to tell, and nothing left to try.
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
    type Backend = CrosstermBackend<Stdout>;

    fn terminal(&mut self) -> &mut Terminal<Self::Backend> {
        &mut self.terminal
    }

    async fn input(&mut self) -> Option<io::Result<Input>> {
        self.input.as_mut()?.next().await
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.leave()?;
        stop()?;
        self.enter()
    }
}

/// Stops the whole job, as the terminal would on ctrl-z, until the shell continues it.
#[cfg(unix)]
fn stop() -> io::Result<()> {
    use rustix::process::{Signal, kill_current_process_group};
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// Other systems have no such thing: the screen is only drawn anew.
#[cfg(not(unix))]
fn stop() -> io::Result<()> {
    Ok(())
}

/// Makes a panic give the terminal back before its message is printed.
fn restore_on_panic(taken: Arc<AtomicBool>) {
    let inner = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let _ = give_back(&taken);
        inner(info);
    }));
}

/// Gives the terminal back, once.
fn give_back(taken: &AtomicBool) -> io::Result<()> {
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
