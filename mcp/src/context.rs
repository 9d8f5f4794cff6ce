//! The configuration and the shared state of the tools.

use std::path::PathBuf;
use std::sync::Arc;

use podtap_agent::history::SavedFilters;
use tokio_util::sync::CancellationToken;

use crate::problem::ToolProblem;
use crate::source::AgentSource;

/// The configuration of a server.
pub struct McpConfig {
    /// The path of the history, which may not exist yet.
    pub history: PathBuf,
    /// The name of the tunnel to which the history belongs.
    pub tunnel: String,
    /// The filters that `@name` refers to.
    pub saved: SavedFilters,
    /// Whether tools may send events to services on this machine.
    pub allow_write: bool,
    /// Removes the secrets from a text before it is sent.
    pub redact: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// The shared state of the tools.
pub(crate) struct ToolContext {
    pub(crate) config: McpConfig,
    pub(crate) source: Arc<dyn AgentSource>,
    /// Cancelled at the end of the input or of the run.
    pub(crate) ended: CancellationToken,
}

impl ToolContext {
    /// Returns the problem that there is no history yet.
    pub(crate) fn no_history(&self) -> ToolProblem {
        no_history(&self.config.tunnel)
    }
}

/// Returns the problem that a tunnel has no history yet.
pub(crate) fn no_history(tunnel: &str) -> ToolProblem {
    ToolProblem::new(format!("the tunnel {tunnel} has no history yet")).hint(
        "ask the user to start `podtap listen 3000`, or to name another tunnel: `podtap mcp --name NAME`",
    )
}

impl std::fmt::Debug for McpConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpConfig")
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}
