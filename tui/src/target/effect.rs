//! Another target, given to the agent.

use podtap_agent::routes::Routes;
use podtap_agent::{AgentHandle, Target, find_command};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetEffect {
    /// Have events delivered there that no route takes.
    Set {
        /// `None` to record them only.
        target: Option<Target>,
        /// Whether what was held goes there, too.
        with_held: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) enum TargetAnswer {
    /// To [`TargetEffect::Set`].
    Set {
        /// Where events go now, or why they go where they went before.
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
