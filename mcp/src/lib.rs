//! An agent's history for coding assistants: tools of the Model Context Protocol, over any stream
//! of lines such as stdin and stdout.
//!
//! Captured data comes from strangers, and a language model may follow instructions in it. So an
//! answer has two parts: Podtap's own words, and below them, between two marks that no captured
//! byte can imitate, JSON lines with the captured data, cut to a maximum size and without the
//! secrets that this run knows (`answer`). The tools only read, unless [`McpConfig::allow_write`]
//! is set; then they also send events, but only to this machine.

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
