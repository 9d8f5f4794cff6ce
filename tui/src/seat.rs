//! The UI of one tunnel: its state, and the messages from its agent. The
//! tunnel may be on the screen or not.

use std::future::pending;

use futures_util::future::select_all;
use jiff::Timestamp;
use podtap_agent::{AgentHandle, Change, Status};
use ratatui::layout::Size;
use tokio::sync::{broadcast, watch};

use crate::app::App;
use crate::changes::Changes;
use crate::config::UiConfig;
use crate::edit::EditorFile;
use crate::effect::Effect;
use crate::executor::Executor;
use crate::message::{FeatureAnswer, Message};

/// A tunnel with its state and its agent.
pub(crate) struct Seat {
    pub(crate) name: String,
    pub(crate) app: Box<App>,
    pub(crate) status: watch::Receiver<Status>,
    changes: broadcast::Receiver<Change>,
    pub(crate) executor: Executor,
    /// The changes since the last frame.
    pub(crate) gathered: Changes,
    /// The file to open in the editor.
    pub(crate) editing: Option<EditorFile>,
    /// Whether the agent still sends its status. It may end while other
    /// processes still write to its history.
    has_status: bool,
    has_changes: bool,
}

impl Seat {
    /// Creates the UI of an agent, on a screen of this size.
    pub(crate) fn new(agent: AgentHandle, config: UiConfig, size: Size) -> Self {
        let status = agent.status();
        let now = status.borrow().clone();
        Self {
            name: config.tunnel_name(&now).to_owned(),
            changes: agent.changes(),
            executor: Executor::new(agent, config.zone.clone(), config.secrets.clone()),
            app: Box::new(App::new(config, size, Timestamp::now(), now)),
            status,
            gathered: Changes::default(),
            editing: None,
            has_status: true,
            has_changes: true,
        }
    }

    /// Waits for the next message; returns `None` for a change, which is collected in `gathered`.
    ///
    /// # Cancel safety
    /// Nothing is lost if the future is dropped before it is ready.
    pub(crate) async fn news(&mut self) -> Option<Message> {
        tokio::select! {
            biased;
            answer = self.executor.next() => Some(Message::Answer(answer)),
            changed = self.status.changed(), if self.has_status => {
                self.has_status = changed.is_ok();
                let status = changed.map(|()| self.status.borrow_and_update().clone());
                status.ok().map(|status| Message::Status(Box::new(status)))
            }
            change = self.changes.recv(), if self.has_changes => {
                match change {
                    Ok(change) => self.gathered.add(change),
                    Err(broadcast::error::RecvError::Lagged(_)) => self.gathered.note_lag(),
                    Err(broadcast::error::RecvError::Closed) => self.has_changes = false,
                }
                None
            }
        }
    }

    /// Marks everything as possibly changed, because changes were not collected while
    /// the tunnel was not on the screen.
    pub(crate) fn catch_up(&mut self) {
        self.changes = self.changes.resubscribe();
        self.gathered.note_lag();
    }

    /// Handles a message while the tunnel is not on the screen. Effects
    /// that draw or copy are dropped.
    pub(crate) fn update_behind(&mut self, message: Message) {
        for effect in self.app.update(message) {
            match effect {
                Effect::OpenEditor(file) => self.editing = Some(file),
                effect if effect.is_for_the_terminal() => {}
                effect => self.executor.start(effect),
            }
        }
    }
}

/// Waits for the next answer for any of these tunnels, and returns it with the tunnel's index.
/// Waits for ever if there are no tunnels.
///
/// # Cancel safety
/// Nothing is lost if the future is dropped before it is ready.
pub(crate) async fn answer_of_any(seats: &mut [Seat]) -> (usize, FeatureAnswer) {
    if seats.is_empty() {
        return pending().await;
    }
    let all = seats.iter_mut().map(|seat| Box::pin(seat.executor.next()));
    let (answer, place, _) = select_all(all).await;
    (place, answer)
}
