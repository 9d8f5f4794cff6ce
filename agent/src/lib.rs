//! The local half of Podtap: the link to the relay, the history, delivery to the local service and
//! replay.
//!
//! `link` (relay → agent) → `history` (on stable storage before it is acknowledged) → `delivery`
//! (ordered lanes to the local service) → attempts back in the history. Everything else reads the
//! history through [`AgentHandle`], the only access for the terminal UI and the command line.

mod agent;
pub mod amount;
mod answers;
mod change;
mod command_end;
pub mod compare;
pub mod config;
pub mod connection;
pub mod decoded;
mod delivery;
pub mod draft;
pub mod explain;
pub mod export;
pub mod figures;
pub mod handle;
pub mod history;
mod hook_health;
pub mod hooks;
pub mod import;
pub mod invisible;
pub mod likely;
mod link;
mod lock;
mod opening;
mod own_client;
pub mod parameter;
pub mod place;
mod place_name;
mod podio_time;
pub mod reason;
pub mod remark;
pub mod repair;
mod replay;
pub mod request_file;
mod router;
pub mod routes;
pub mod standing;
pub mod status;
pub mod target;
mod trigger;
pub mod wait;
mod watch;
pub mod why;

pub use agent::{Agent, OpenError, RunError};
pub use change::Change;
pub use command_end::CommandEnd;
pub use config::{AgentConfig, HooksConfig, LinkConfig, PodioConfig};
pub use delivery::program::{
    CommandError, GUARD_COMMANDS, command_variables, find as find_command, guard_commands,
    kill_commands, set_command_guard,
};
pub use explain::{ExplainError, ExplainedField, Explanation, RememberedEvent};
pub use handle::AgentHandle;
pub use hooks::{
    FailedPlace, HookFacts, HookListing, HookReport, HookState, HookUrls, HooksError, ListedHook,
    ManageHooksError, UrlVerdict,
};
pub use link::{AskError, DialError, TunnelClient, probe};
pub use place::{Place, PlaceRef, WantedHook};
pub use replay::{NO_TARGET_YET, Replay, ReplayError, first_target};
pub use standing::{CallFailure, HookStanding};
pub use status::{LinkState, ServiceState, Status};
pub use target::Target;
pub use trigger::{Trigger, TriggerError, TriggerResult};

// Types of the protocol that the types above contain, so that front ends need not depend on it.
pub use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};
