//! Changes the agent's target.

use podtap_agent::routes::Routes;
use podtap_agent::{AgentHandle, Target, find_command};

/// A request to the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetEffect {
    /// Sets the target of events that no route matches.
    Set {
        /// `None` to store the events only.
        target: Option<Target>,
        /// Whether to deliver the held events there as well.
        with_held: bool,
    },
}

/// The answer to the request.
#[derive(Debug, Clone)]
pub(crate) enum TargetAnswer {
    /// The answer to [`TargetEffect::Set`].
    Set {
        /// The new target, or why it was not changed.
        result: Result<Option<Target>, String>,
    },
}

/// Asks the agent.
pub(crate) async fn run(effect: TargetEffect, agent: &AgentHandle) -> TargetAnswer {
    let TargetEffect::Set { target, with_held } = effect;
    let result = set(target.clone(), with_held, agent).await;
    TargetAnswer::Set {
        result: result.map(|()| target),
    }
}

async fn set(target: Option<Target>, with_held: bool, agent: &AgentHandle) -> Result<(), String> {
    if let Some(command) = target.as_ref().and_then(Target::command) {
        let found = find_command(command).await;
        found.map_err(|error| error.to_string())?;
    }
    let routes = agent.status().borrow().routes.list().to_vec();
    let routes = Routes::new(routes, target).map_err(|error| error.to_string())?;
    if agent.set_routes(routes, with_held) {
        return Ok(());
    }
    Err("only `podtap listen` delivers events: set it there".to_owned())
}
