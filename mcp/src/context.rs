//! What the tools work with.

use std::path::PathBuf;
use std::sync::Arc;

use podtap_agent::history::Saved;
use tokio_util::sync::CancellationToken;

use crate::problem::ToolProblem;
use crate::source::AgentSource;

/// What a server is made with.
pub struct McpConfig {
    /// The history's file, which may not be there yet.
    pub history: PathBuf,
    /// The name of the tunnel whose history it is.
    pub tunnel: String,
    /// What `@name` stands for in a filter.
    pub saved: Saved,
    /// Whether events may be sent to services on this machine.
    pub allow_write: bool,
    /// Takes the secrets out of a text that leaves.
    pub redact: Box<dyn Fn(&str) -> String + Send + Sync>,
}

/// What the tools work with.
pub(crate) struct ToolContext {
    pub(crate) config: McpConfig,
    pub(crate) source: Arc<dyn AgentSource>,
    /// Cancelled at the end of the input, or of the run.
    pub(crate) ended: CancellationToken,
}

impl ToolContext {
    /// There is nothing to look at yet.
    pub(crate) fn no_history(&self) -> ToolProblem {
        no_history(&self.config.tunnel)
    }
}

/// A tunnel has no history yet.
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
