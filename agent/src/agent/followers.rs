//! Starts what the agent with the link does besides link and delivery:
//! it follows the history, creates hooks, and records the last hour. If
//! a second agent did this beside it, everything would be done twice.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::figures::HourRecorder;
use crate::hook_health::HookHealth;
use crate::hooks::HookMaker;
use crate::watch::Watch;

/// The followers. Built once, started once.
#[derive(Debug)]
pub(super) struct Followers {
    pub(super) watch: Watch,
    pub(super) hooks: HookMaker,
    pub(super) recorder: HourRecorder,
    pub(super) hook_health: HookHealth,
}

impl Followers {
    /// Starts each follower; it runs until the token is cancelled.
    pub(super) fn start(
        self,
        parts: &mut JoinSet<Result<(), RunError>>,
        token: &CancellationToken,
    ) {
        let Self {
            watch,
            hooks,
            recorder,
            hook_health,
        } = self;
        let until = token.clone();
        parts.spawn(async move { Ok(watch.run(until).await?) });
        let until = token.clone();
        parts.spawn(async move { Ok(hooks.run(until).await?) });
        let until = token.clone();
        parts.spawn(async move { Ok(hook_health.run(until).await?) });
        let until = token.clone();
        parts.spawn(async move {
            recorder.run(until).await;
            Ok(())
        });
    }
}
