//! The source of the history that the tools read.

use podtap_agent::AgentHandle;

use crate::ToolProblem;

/// A source of agent handles for the tools. Each call of a tool asks for a handle, because the
/// history may not exist yet when the server starts.
pub trait AgentSource: Send + Sync + 'static {
    /// Returns a handle on the current history, whether an agent is running or not.
    ///
    /// # Errors
    /// If there is no history yet, or if it cannot be opened.
    fn handle(&self) -> Result<AgentHandle, ToolProblem>;
}
