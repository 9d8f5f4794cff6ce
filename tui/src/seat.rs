//! One tunnel of the UI: its state, and what it hears of its agent, on the screen or not.

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

/// A tunnel, its state and its agent.
pub(crate) struct Seat {
    pub(crate) name: String,
    pub(crate) app: Box<App>,
    pub(crate) status: watch::Receiver<Status>,
    changes: broadcast::Receiver<Change>,
    pub(crate) executor: Executor,
    /// Changes since the last frame.
    pub(crate) gathered: Changes,
    /// What the editor shall be opened on.
    pub(crate) editing: Option<EditorFile>,
    /// An agent may have nothing to tell of itself while others still write its history.
    has_status: bool,
    has_changes: bool,
}

impl Seat {
    /// The UI of an agent, on a screen of this size.
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

    /// The next message for it; `None` for one that is gathered.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is ready.
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

    /// It was not on the screen: whatever it shows may not be so any more.
    pub(crate) fn catch_up(&mut self) {
        self.changes = self.changes.resubscribe();
        self.gathered.note_lag();
    }

    /// Something happened while it is not on the screen: what is to be drawn, or copied, is not.
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

/// The next answer for any of these, and for which; waits for ever where there are none.
///
/// # Cancel safety
/// Nothing is lost when this is dropped before it is ready.
pub(crate) async fn answer_of_any(seats: &mut [Seat]) -> (usize, FeatureAnswer) {
    if seats.is_empty() {
        return pending().await;
    }
    let all = seats.iter_mut().map(|seat| Box::pin(seat.executor.next()));
    let (answer, place, _) = select_all(all).await;
    (place, answer)
}
