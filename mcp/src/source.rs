//! Where the tools look.

use podtap_agent::AgentHandle;

use crate::ToolProblem;

/// Gives the tools an agent's handle. There may be no history yet when a server begins, so it is asked
/// for by each call.
pub trait AgentSource: Send + Sync + 'static {
    /// A handle on the history as it is now, beside the agent that runs or without one.
    ///
    /// # Errors
    /// When there is no history yet, or it cannot be opened.
    fn handle(&self) -> Result<AgentHandle, ToolProblem>;
}
