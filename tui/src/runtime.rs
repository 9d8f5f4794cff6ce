//! Runs the UI loop: passes input, the agent's changes, answers and the clock to `update`, carries
//! out the effects, and draws a frame if necessary.
//!
//! It draws only if something visible has changed, and at most 40 times per second, however many
//! events arrive. It decides nothing else.

use std::io;
use std::time::Duration;

use crossterm::event::Event as Input;
use jiff::Timestamp;
use podtap_agent::{AgentHandle, LinkState, Status};
use ratatui::Terminal;
use ratatui::backend::Backend;
use ratatui::layout::Size;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::config::UiConfig;
use crate::edit::{EditAnswer, EditorFile};
use crate::editor::run_editor;
use crate::effect::Effect;
use crate::message::{FeatureAnswer, Message};
use crate::seat::{Seat, answer_of_any};
use crate::tunnels::ShownTunnel;
use crate::view::view;

/// Maximum number of frames per second.
const FRAMES_PER_SECOND: u32 = 40;

/// Interval of the clock. Durations on the screen have no finer resolution.
const TICK: Duration = Duration::from_secs(1);

/// The terminal that the loop uses: a real one, or one for tests.
pub trait Screen {
    /// The backend to which frames are drawn.
    type Backend: Backend<Error: Send + Sync + 'static> + 'static;

    /// Returns the terminal to draw to.
    fn terminal(&mut self) -> &mut Terminal<Self::Backend>;

    /// Waits for the next input of the person; `None` if there will be no more. Cancel-safe.
    fn input(&mut self) -> impl Future<Output = Option<io::Result<Input>>> + Send;

    /// Leaves the terminal in the state in which it was found.
    ///
    /// # Errors
    /// If the terminal returns an error.
    fn leave(&mut self) -> io::Result<()>;

    /// Takes over the terminal, and clears the screen.
    ///
    /// # Errors
    /// If the terminal returns an error.
    fn enter(&mut self) -> io::Result<()>;

    /// Stops this process, which has left the terminal, until it is continued.
    ///
    /// # Errors
    /// If the system returns an error.
    fn stop(&mut self) -> impl Future<Output = io::Result<()>> + Send;

    /// Copies bytes to the clipboard of the person at the terminal.
    ///
    /// # Errors
    /// If the terminal returns an error.
    fn copy(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Writes a sequence that does not change the screen, such as the bell.
    ///
    /// # Errors
    /// If the terminal returns an error.
    fn ring(&mut self, sequence: &str) -> io::Result<()>;
}

/// The error that ended the UI.
#[derive(Debug, thiserror::Error)]
pub enum UiError {
    /// The terminal returned an error.
    #[error("the terminal cannot be used")]
    Terminal(#[source] io::Error),
}

/// Several tunnels, of which one is on the screen at a time.
#[derive(Debug)]
pub struct SeveralTunnels {
    /// The tunnels, each with its name, in order. The first one is shown first.
    pub open: Vec<(String, AgentHandle)>,
    /// The tunnels that could not be opened, each with its name and the reason.
    pub failed: Vec<(String, String)>,
}

/// Runs the UI on a screen until a person quits, the input ends or `token` is cancelled.
///
/// # Errors
/// If the terminal returns an error.
pub async fn run<S: Screen>(
    screen: &mut S,
    agent: AgentHandle,
    config: UiConfig,
    token: CancellationToken,
) -> Result<(), UiError> {
    let seat = Seat::new(agent, config.clone(), size(screen)?);
    Runtime::new(seat, Vec::new(), Vec::new(), config)
        .run(screen, token)
        .await
}

/// Runs the UI for several tunnels, of which one at a time is on the screen.
///
/// # Errors
/// If the terminal returns an error.
pub async fn run_several<S: Screen>(
    screen: &mut S,
    tunnels: SeveralTunnels,
    config: UiConfig,
    token: CancellationToken,
) -> Result<(), UiError> {
    let size = size(screen)?;
    let seats = tunnels.open.into_iter().map(|(name, agent)| {
        let mut config = config.clone();
        config.tunnel = Some(name);
        Seat::new(agent, config, size)
    });
    let mut seats = seats.collect::<Vec<_>>().into_iter();
    let Some(first) = seats.next() else {
        return Ok(());
    };
    Runtime::new(first, seats.collect(), tunnels.failed, config)
        .run(screen, token)
        .await
}

struct Runtime {
    /// The tunnel on the screen.
    seat: Seat,
    others: Vec<Seat>,
    /// The names of all open tunnels, in order.
    names: Vec<String>,
    /// The tunnels that could not be opened, each with its name and the reason.
    failed: Vec<(String, String)>,
    editor: String,
    secrets: Vec<String>,
    rings: Option<watch::Receiver<String>>,
    /// Whether to leave the terminal and stop, because a person suspends the process.
    suspends: bool,
    dirty: bool,
    /// The earliest time of the next frame.
    next_frame: Instant,
    over: bool,
}

impl Runtime {
    fn new(seat: Seat, others: Vec<Seat>, failed: Vec<(String, String)>, config: UiConfig) -> Self {
        let seats = std::iter::once(&seat).chain(&others);
        Self {
            names: seats.map(|seat| seat.name.clone()).collect(),
            seat,
            others,
            failed,
            editor: config.editor,
            secrets: config.secrets,
            rings: config.rings,
            suspends: false,
            dirty: true,
            next_frame: Instant::now(),
            over: false,
        }
    }

    async fn run<S: Screen>(
        &mut self,
        screen: &mut S,
        token: CancellationToken,
    ) -> Result<(), UiError> {
        self.tick(screen)?;
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.over {
            if let Some(editing) = self.seat.editing.take() {
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
            let frame_is_due = self.dirty || !self.seat.gathered.is_empty();
            // Biased: input comes first, and frames come before the changes that they would show,
            // so that many changes delay neither. Every branch is cancel-safe: channels and streams
            // keep what was not received, and timers are created again for the same instant.
            tokio::select! {
                biased;
                () = token.cancelled() => return Ok(()),
                input = screen.input() => match input {
                    Some(input) => self.input(screen, input.map_err(UiError::Terminal)?)?,
                    None => return Ok(()),
                },
                () = sleep_until(self.next_frame), if frame_is_due => self.frame(screen)?,
                news = self.seat.news() => {
                    if let Some(message) = news {
                        self.update(screen, message)?;
                    }
                }
                (place, answer) = answer_of_any(&mut self.others) => {
                    if let Some(other) = self.others.get_mut(place) {
                        other.update_behind(Message::Answer(answer));
                    }
                }
                sequence = next_ring(&mut self.rings) => {
                    screen.ring(&sequence).map_err(UiError::Terminal)?;
                }
                _ = ticks.tick() => self.tick(screen)?,
            }
        }
        Ok(())
    }

    /// Handles a tick of the clock.
    fn tick<S: Screen>(&mut self, screen: &mut S) -> Result<(), UiError> {
        let now = Timestamp::now();
        for other in &mut self.others {
            other.update_behind(Message::Tick(now));
        }
        self.update(screen, Message::Tick(now))?;
        if self.names.len() + self.failed.len() < 2 {
            return Ok(());
        }
        let tunnels = self.tunnels();
        self.update(screen, Message::Tunnels(tunnels))
    }

    /// Returns the current state of all tunnels.
    fn tunnels(&self) -> Vec<ShownTunnel> {
        let find = |name: &String| {
            let mut seats = std::iter::once(&self.seat).chain(&self.others);
            seats.find(|seat| seat.name == *name)
        };
        let open = self.names.iter().filter_map(find).map(|seat| ShownTunnel {
            name: seat.name.clone(),
            status: seat.status.borrow().clone(),
            is_here: seat.name == self.seat.name,
            is_open: true,
        });
        let failed = self.failed.iter().map(|(name, reason)| ShownTunnel {
            name: name.clone(),
            status: Status {
                link: LinkState::Stopped {
                    reason: reason.clone(),
                },
                ..Status::default()
            },
            is_here: false,
            is_open: false,
        });
        open.chain(failed).collect()
    }

    /// Shows another tunnel on the screen.
    fn switch<S: Screen>(&mut self, screen: &mut S, name: &str) -> Result<(), UiError> {
        let Some(other) = self.others.iter_mut().find(|seat| seat.name == name) else {
            return Ok(());
        };
        std::mem::swap(&mut self.seat, other);
        let size = size(screen)?;
        // Changes of this tunnel were not collected while another one was on the screen.
        self.seat.catch_up();
        self.dirty = true;
        self.update(screen, Message::Resize(size))?;
        let status = Box::new(self.seat.status.borrow_and_update().clone());
        self.update(screen, Message::Status(status))?;
        let tunnels = self.tunnels();
        self.update(screen, Message::Tunnels(tunnels))
    }

    fn input<S: Screen>(&mut self, screen: &mut S, input: Input) -> Result<(), UiError> {
        let message = match input {
            // Windows also reports the release of keys.
            Input::Key(key) if key.is_press() || key.is_repeat() => Message::Key(key),
            Input::Mouse(mouse) => Message::Mouse(mouse),
            Input::Resize(width, height) => Message::Resize(Size { width, height }),
            Input::Paste(text) => Message::Paste(text),
            Input::Key(_) | Input::FocusGained | Input::FocusLost => return Ok(()),
        };
        self.update(screen, message)
    }

    fn update<S: Screen>(&mut self, screen: &mut S, message: Message) -> Result<(), UiError> {
        let mut switch = None;
        for effect in self.seat.app.update(message) {
            match effect {
                Effect::Draw => self.dirty = true,
                Effect::Quit => self.over = true,
                Effect::Suspend => self.suspends = true,
                Effect::ToClipboard(bytes) => screen.copy(&bytes).map_err(UiError::Terminal)?,
                Effect::OpenEditor(file) => self.seat.editing = Some(file),
                Effect::Switch(name) => switch = Some(name),
                effect => self.seat.executor.start(effect),
            }
        }
        match switch {
            Some(name) => self.switch(screen, &name),
            None => Ok(()),
        }
    }

    /// Leaves the terminal to the editor, and takes it over again once the editor has ended.
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

    /// Takes over the terminal again. Its size may have changed.
    fn enter<S: Screen>(&mut self, screen: &mut S) -> Result<(), UiError> {
        screen.enter().map_err(UiError::Terminal)?;
        self.dirty = true;
        let size = size(screen)?;
        self.update(screen, Message::Resize(size))
    }

    fn frame<S: Screen>(&mut self, screen: &mut S) -> Result<(), UiError> {
        if !self.seat.gathered.is_empty() {
            let changes = std::mem::take(&mut self.seat.gathered);
            self.update(screen, Message::Changed(changes))?;
        }
        self.next_frame = Instant::now() + Duration::from_secs(1) / FRAMES_PER_SECOND;
        if std::mem::take(&mut self.dirty) {
            let terminal = screen.terminal();
            terminal
                .draw(|frame| view(&self.seat.app, frame))
                .map_err(other)?;
        }
        Ok(())
    }
}

/// Returns the next sequence to write to the terminal. Waits for ever if
/// there is no source of sequences.
async fn next_ring(rings: &mut Option<watch::Receiver<String>>) -> String {
    if let Some(changes) = rings
        && changes.changed().await.is_ok()
    {
        return changes.borrow_and_update().clone();
    }
    *rings = None;
    std::future::pending().await
}

fn size<S: Screen>(screen: &mut S) -> Result<Size, UiError> {
    screen.terminal().size().map_err(other)
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> UiError {
    UiError::Terminal(io::Error::other(error))
}
