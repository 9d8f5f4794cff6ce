//! What a running agent tells other commands of itself, in a file beside its history: the public URL,
//! the local service and how both ends are. Whether it still runs is what the history's lock says; what it said last
//! stays, since a tunnel's URL does.

mod agent;
mod run_file;
mod state;

pub(crate) use agent::RunningAgent;
pub(crate) use run_file::{AgentProcess, Running, holder, publish};
