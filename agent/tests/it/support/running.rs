//! A running agent and its history.

use podtap_agent::history::{
    Anchor, DeliveryState, EventRow, Filter, History, NewEvent, PageQuery, Writer,
};
use podtap_agent::{Agent, AgentConfig, AgentHandle, LinkState, RunError};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{DEADLINE, eventually, history_of};

pub(crate) struct RunningAgent {
    pub(crate) handle: AgentHandle,
    pub(crate) token: CancellationToken,
    pub(crate) agent: JoinSet<Result<(), RunError>>,
}

impl RunningAgent {
    pub(crate) fn start(config: AgentConfig) -> Self {
        let (agent, handle) = Agent::open(config).unwrap();
        let token = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(agent.run(token.clone()));
        Self {
            handle,
            token,
            agent: running,
        }
    }

    /// Returns the history's rows, oldest first.
    pub(crate) async fn rows(&self) -> Vec<EventRow> {
        rows(self.handle.history()).await
    }

    /// Waits until this many events are delivered.
    pub(crate) async fn wait_for_deliveries(&self, events: usize) -> Vec<EventRow> {
        eventually("all is delivered", || async {
            let rows = self.rows().await;
            let is_done = |row: &EventRow| row.state == DeliveryState::Delivered;
            if rows.iter().filter(|row| is_done(row)).count() == events {
                Ok(rows)
            } else {
                Err(format!("{events} wanted: {rows:#?}"))
            }
        })
        .await
    }

    /// Waits until there are this many events.
    pub(crate) async fn wait_for_events(&self, events: usize) -> Vec<EventRow> {
        eventually("all are in the history", || async {
            let rows = self.rows().await;
            if rows.len() == events {
                Ok(rows)
            } else {
                Err(format!("{} rows", rows.len()))
            }
        })
        .await
    }

    /// Returns the tunnel's URL, once the link is up.
    pub(crate) async fn up(&self) -> String {
        let mut status = self.handle.status();
        let up = status.wait_for(|status| matches!(status.link, LinkState::Up { .. }));
        let up = tokio::time::timeout(DEADLINE, up).await.unwrap();
        up.unwrap().public_url.clone().unwrap()
    }

    /// Ends the agent, which must not have ended before.
    pub(crate) async fn stop(mut self) {
        self.end().await;
    }

    /// Ends the agent and keeps its handle.
    pub(crate) async fn end(&mut self) {
        let ended = self.agent.try_join_next();
        assert!(ended.is_none(), "it ended by itself: {ended:?}");
        self.token.cancel();
        self.wait_for_end().await.unwrap();
    }

    /// Returns how the agent ended.
    pub(crate) async fn wait_for_end(&mut self) -> Result<(), RunError> {
        let ended = tokio::time::timeout(DEADLINE, self.agent.join_next()).await;
        ended.unwrap().unwrap().unwrap()
    }

    /// Ends the agent as a crash does: nothing of it continues to run.
    pub(crate) async fn crash(mut self) {
        self.agent.abort_all();
        while self.agent.join_next().await.is_some() {}
    }
}

/// Returns the newest thousand rows of a history, oldest first.
pub(crate) async fn rows(history: &History) -> Vec<EventRow> {
    let query = PageQuery {
        filter: Filter::default(),
        anchor: Anchor::Newest,
        limit: 1000,
    };
    let mut rows = history.page(query).await.unwrap();
    rows.reverse();
    rows
}

/// Appends events to a history that no agent has open.
pub(crate) async fn append(folder: &TempDir, events: Vec<NewEvent>) {
    let (writer, thread) = Writer::open(&history_of(folder), |_| {}).unwrap();
    writer.append(events).await.unwrap();
    thread.close().await;
}
