//! An agent's history for coding assistants: tools of the Model Context Protocol over any stream of
//! lines, such as stdin and stdout.
//!
//! What was captured is of strangers, and who reads it follows words. So an answer has two parts: words
//! of ours, and below them, between two marks that no captured byte can imitate, JSON lines with what was
//! captured, cut to a size and without the secrets that this run knows (`answer`). The tools read, unless
//! [`McpConfig::allow_write`] says otherwise; then they send to this machine alone.

mod answer;
mod arguments;
mod bounds;
mod context;
mod problem;
mod server;
mod source;
mod stream;
mod tools;

pub use context::McpConfig;
pub use problem::ToolProblem;
pub use server::{McpServer, ServeError};
pub use source::AgentSource;
