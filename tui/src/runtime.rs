//! The loop: input, the agent, answers and the clock → `update` → effects → perhaps a frame.
//!
//! It draws only when something visible has changed, and at most 40 times a
//! second, however many events arrive. It decides nothing else.

use std::io;
use std::time::Duration;

use crossterm::event::Event as Input;
use jiff::Timestamp;
use podtap_agent::{AgentHandle, Change, Status};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Size;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::changes::Changes;
use crate::config::UiConfig;
use crate::edit::{EditAnswer, EditorFile};
use crate::editor::run_editor;
use crate::effect::Effect;
use crate::executor::Executor;
use crate::message::{FeatureAnswer, Message};
use crate::view::view;

/// Frames drawn a second at most.
const FRAMES_PER_SECOND: u32 = 40;

/// How often the clock is told; durations on the screen are no finer than this.
const TICK: Duration = Duration::from_secs(1);

/// The terminal as the loop needs it: a real one, or a test's.
pub trait Screen {
    /// What frames are drawn to.
    type Backend: Backend<Error: Send + Sync + 'static> + 'static;

    /// The terminal to draw to.
    fn terminal(&mut self) -> &mut Terminal<Self::Backend>;

    /// The next thing that a person did; `None` when there will be nothing more. Cancel-safe.
    fn input(&mut self) -> impl Future<Output = Option<io::Result<Input>>> + Send;

    /// Gives the terminal back, as it was before.
    ///
    /// # Errors
    /// When the terminal refuses.
    fn leave(&mut self) -> io::Result<()>;

    /// Takes the terminal, and begins with an empty screen.
    ///
    /// # Errors
    /// When the terminal refuses.
    fn enter(&mut self) -> io::Result<()>;

    /// Stops this process, which has left the terminal, until it is continued.
    ///
    /// # Errors
    /// When the system refuses.
    fn stop(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// Puts bytes into the clipboard of the person who sits at the terminal.
    ///
    /// # Errors
    /// When the terminal refuses.
    fn copy(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// What ended the UI against its will.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The terminal refused something.
    #[error("the terminal cannot be used")]
    Terminal(#[source] io::Error),
}

/// Runs the UI on a screen until a person quits, the input ends or `token` is cancelled.
///
/// # Errors
/// When the terminal refuses something.
pub async fn run<S: Screen>(
    screen: &mut S,
    agent: AgentHandle,
    config: UiConfig,
    token: CancellationToken,
) -> Result<(), UiError> {
    let status = agent.status();
    let (now, size) = (Timestamp::now(), size(screen)?);
    let app = Box::new(App::new(config.clone(), size, now, status.borrow().clone()));
    let mut runtime = Runtime {
        app,
        status,
        changes: agent.changes(),
        executor: Executor::new(agent, config.zone, config.secrets.clone()),
        editor: config.editor,
        secrets: config.secrets,
        editing: None,
        suspends: false,
        gathered: Changes::default(),
        dirty: true,
        next_frame: Instant::now(),
        over: false,
    };
    runtime.update(screen, Message::Tick(now))?;
    runtime.run(screen, token).await
}

struct Runtime {
    app: Box<App>,
    status: watch::Receiver<Status>,
    changes: broadcast::Receiver<Change>,
    executor: Executor,
    editor: String,
    secrets: Vec<String>,
    /// What the editor shall be opened on.
    editing: Option<EditorFile>,
    /// Whether a person wants their shell back for a while.
    suspends: bool,
    /// Changes since the last frame.
    gathered: Changes,
    dirty: bool,
    /// The earliest moment of the next frame.
    next_frame: Instant,
    over: bool,
}

impl Runtime {
    async fn run<S: Screen>(
        &mut self,
        screen: &mut S,
        token: CancellationToken,
    ) -> Result<(), UiError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // An agent may have nothing to tell of itself while others still write its history.
        let (mut has_status, mut has_changes) = (true, true);
        while !self.over {
            if let Some(editing) = self.editing.take() {
                tokio::select! {
                    () = token.cancelled() => return Ok(()),
                    edited = self.edit(screen, editing) => edited?,
                }
            }
            if std::mem::take(&mut self.suspends) {
                screen.leave().map_err(UiError::Terminal)?;
                screen.stop().await.map_err(UiError::Terminal)?;
                self.enter(screen)?;
            }
            let frame_is_due = self.dirty || !self.gathered.is_empty();
            // Biased: input is answered before anything else, frames come before the changes that
            // would fill them, so that a flood delays neither. Every arm is cancel-safe: channels
            // and streams keep what was not taken, timers are made anew from the same instant.
            tokio::select! {
                biased;
                () = token.cancelled() => return Ok(()),
                input = screen.input() => match input {
                    Some(input) => self.input(screen, input.map_err(UiError::Terminal)?)?,
                    None => return Ok(()),
                },
                () = sleep_until(self.next_frame), if frame_is_due => self.frame(screen)?,
                answer = self.executor.next() => {
                    self.update(screen, Message::Answer(answer))?;
                }
                changed = self.status.changed(), if has_status => match changed {
                    Ok(()) => {
                        let status = Box::new(self.status.borrow_and_update().clone());
                        self.update(screen, Message::Status(status))?;
                    }
                    Err(_) => has_status = false,
                },
                change = self.changes.recv(), if has_changes => match change {
                    Ok(change) => self.gathered.add(change),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.gathered.note_lag(),
                    Err(broadcast::error::RecvError::Closed) => has_changes = false,
                },
                _ = ticks.tick() => self.update(screen, Message::Tick(Timestamp::now()))?,
            }
        }
        Ok(())
    }

    fn input<S: Screen>(&mut self, screen: &mut S, input: Input) -> Result<(), UiError> {
        let message = match input {
            // Windows reports releases too.
            Input::Key(key) if key.is_press() || key.is_repeat() => Message::Key(key),
            Input::Mouse(mouse) => Message::Mouse(mouse),
            Input::Resize(width, height) => Message::Resize(Size { width, height }),
            Input::Paste(text) => Message::Paste(text),
            Input::Key(_) | Input::FocusGained | Input::FocusLost => return Ok(()),
        };
        self.update(screen, message)
    }

    fn update<S: Screen>(&mut self, screen: &mut S, message: Message) -> Result<(), UiError> {
        for effect in self.app.update(message) {
            match effect {
                Effect::Draw => self.dirty = true,
                Effect::Quit => self.over = true,
                Effect::Suspend => self.suspends = true,
                Effect::ToClipboard(bytes) => screen.copy(&bytes).map_err(UiError::Terminal)?,
                Effect::OpenEditor(file) => self.editing = Some(file),
                effect => self.executor.start(effect),
            }
        }
        Ok(())
    }

    /// Gives the terminal to the editor and takes it back when that has ended.
    async fn edit<S: Screen>(
        &mut self,
        screen: &mut S,
        editing: EditorFile,
    ) -> Result<(), UiError> {
        let EditorFile { id, file, before } = editing;
        screen.leave().map_err(UiError::Terminal)?;
        let result = run_editor(&self.editor, &self.secrets, &file).await;
        self.enter(screen)?;
        let answer = FeatureAnswer::Edit(EditAnswer::Edited { id, before, result });
        self.update(screen, Message::Answer(answer))
    }

    /// Takes the terminal back, which may have another size by now.
    fn enter<S: Screen>(&mut self, screen: &mut S) -> Result<(), UiError> {
        screen.enter().map_err(UiError::Terminal)?;
        self.dirty = true;
        let size = size(screen)?;
        self.update(screen, Message::Resize(size))
    }

    fn frame<S: Screen>(&mut self, screen: &mut S) -> Result<(), UiError> {
        if !self.gathered.is_empty() {
            let changes = std::mem::take(&mut self.gathered);
            self.update(screen, Message::Changed(changes))?;
        }
        self.next_frame = Instant::now() + Duration::from_secs(1) / FRAMES_PER_SECOND;
        if std::mem::take(&mut self.dirty) {
            let terminal = screen.terminal();
            terminal
                .draw(|frame| view(&self.app, frame))
                .map_err(other)?;
        }
        Ok(())
    }
}

fn size<S: Screen>(screen: &mut S) -> Result<Size, UiError> {
    screen.terminal().size().map_err(other)
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> UiError {
    UiError::Terminal(io::Error::other(error))
}
