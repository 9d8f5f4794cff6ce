//! Stores what other commands need to know about a running agent in a file beside its history: the
//! public URL, the local service and the state of both connections. Whether the agent still runs is
//! known from the history's lock. The file stays after the run, since the tunnel's URL stays valid.

mod agent;
mod run_file;
mod state;

pub(crate) use agent::RunningAgent;
pub(crate) use run_file::{AgentProcess, RunState, holder, publish};
