//! Lets the agent look for lost events.

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_agent::repair::{Repair, RepairError, RepairReport};

use crate::error_text::error_text;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RepairEffect {
    /// Looks for events of items that never arrived.
    Look {
        since: Timestamp,
        until: Timestamp,
        /// Whether to add nothing to the history.
        dry_run: bool,
    },
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub(crate) enum RepairAnswer {
    /// The answer to [`RepairEffect::Look`].
    Looked {
        dry_run: bool,
        /// What was found, or why the search failed.
        result: Result<Box<RepairReport>, String>,
    },
}

/// Asks the agent, which asks Podio.
pub(crate) async fn run(effect: RepairEffect, agent: &AgentHandle) -> RepairAnswer {
    let RepairEffect::Look {
        since,
        until,
        dry_run,
    } = effect;
    let wanted = Repair {
        since,
        until,
        dry_run,
    };
    let result = agent.repair(wanted).await;
    let result = result.map(Box::new).map_err(failure);
    RepairAnswer::Looked { dry_run, result }
}

fn failure(error: RepairError) -> String {
    match error {
        RepairError::NoPlaces => {
            "no app is known: set PODTAP_PODIO_APP_ID, or listen with --on and --app".to_owned()
        }
        other => error_text(other),
    }
}
