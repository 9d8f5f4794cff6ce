//! A history that a script fills, and the UI on that history.

mod screen;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::history::{DeliveryState, NewEvent, Writer, WriterThread};
use podtap_agent::{Agent, AgentConfig, AgentHandle, EventId, WebhookRequest};
use podtap_tui::runtime;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub(crate) use screen::Person;

/// Maximum time to wait for anything to appear, much longer than it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// An agent without a link, on a history of its own, and a second writer of that history.
pub(crate) struct Bench {
    pub(crate) agent: Agent,
    pub(crate) handle: AgentHandle,
    pub(crate) history: Elsewhere,
}

/// The writer of another process to the same history.
pub(crate) struct Elsewhere {
    writer: Writer,
    _writer_thread: WriterThread,
    _folder: TempDir,
}

impl Bench {
    pub(crate) fn new(target: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history: PathBuf = folder.path().join("crm.db");
        let config = AgentConfig {
            target: target.map(|target| target.parse().unwrap()),
            ..AgentConfig::new(&history)
        };
        let (agent, handle) = Agent::open(config).unwrap();
        let (writer, writer_thread) = Writer::open(&history, |_| {}).unwrap();
        let history = Elsewhere {
            writer,
            _writer_thread: writer_thread,
            _folder: folder,
        };
        Self {
            agent,
            handle,
            history,
        }
    }
}

impl Elsewhere {
    /// Adds events for these items.
    pub(crate) async fn append(&self, items: impl IntoIterator<Item = u32>) {
        let event = |item: u32| {
            let received_at = Timestamp::now();
            // The types alternate, because many events of one type at once would be a burst.
            let is_even = item.is_multiple_of(2);
            let kind = if is_even {
                "item.create"
            } else {
                "item.update"
            };
            let body = format!("type={kind}&item_id={item}&item_revision_id=3&hook_id=9");
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            NewEvent {
                id: EventId::generate(received_at).unwrap(),
                seq: None,
                request: WebhookRequest {
                    received_at,
                    method: "POST".to_owned(),
                    path: "/podio/hook".to_owned(),
                    headers: headers.into_iter().collect(),
                    peer: None,
                    body: body.into(),
                },
                state: DeliveryState::Held,
            }
        };
        self.writer
            .append(items.into_iter().map(event).collect())
            .await
            .unwrap();
    }
}

/// A UI with a screen of its own.
pub(crate) struct Session {
    handle: AgentHandle,
    agent: Option<Agent>,
    config: podtap_tui::UiConfig,
    size: (u16, u16),
}

impl Bench {
    /// Creates a UI on a screen of usual size, with an agent that does not run.
    pub(crate) fn session(&self) -> Session {
        Session {
            handle: self.handle.clone(),
            agent: None,
            config: podtap_tui::UiConfig::default(),
            size: (120, 40),
        }
    }
}

impl Session {
    /// Sets the size of the screen.
    pub(crate) fn on(self, width: u16, height: u16) -> Self {
        let size = (width, height);
        Self { size, ..self }
    }

    /// Sets the editor.
    pub(crate) fn with_editor(mut self, editor: &str) -> Self {
        editor.clone_into(&mut self.config.editor);
        self
    }

    /// Runs this agent until the UI has ended.
    pub(crate) fn beside(self, agent: Agent) -> Self {
        let agent = Some(agent);
        Self { agent, ..self }
    }

    /// Runs the UI and a script at the same time until both have ended.
    pub(crate) fn play<T>(
        self,
        script: impl AsyncFnOnce(&mut Person) -> T,
    ) -> impl Future<Output = T> {
        // The future contains the UI's whole state, so it is on the heap
        // and not in the future of each test.
        Box::pin(async move {
            let (width, height) = self.size;
            let (token, agent_token) = (CancellationToken::new(), CancellationToken::new());
            let (mut screen, mut person) = screen::screen(width, height, token.clone());
            let ui = runtime::run(&mut screen, self.handle, self.config, token);
            let played = async {
                let (ended, told) = tokio::join!(timeout(6 * PATIENCE, ui), script(&mut person));
                agent_token.cancel();
                ended.expect("the UI never ended").unwrap();
                told
            };
            let agent = async {
                if let Some(agent) = self.agent {
                    agent.run(agent_token.clone()).await.unwrap();
                }
            };
            let (told, ()) = tokio::join!(played, agent);
            told
        })
    }
}
