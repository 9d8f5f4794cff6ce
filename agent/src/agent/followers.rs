//! What the agent with the link does beside link and delivery: it follows the history, makes hooks, and
//! keeps the record of the last hour. Beside it another agent would do all of that twice.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::RunError;
use crate::figures::HourRecorder;
use crate::hook_health::HookHealth;
use crate::hooks::HookMaker;
use crate::watch::Watch;

/// Built once, started once.
#[derive(Debug)]
pub(super) struct Followers {
    pub(super) watch: Watch,
    pub(super) hooks: HookMaker,
    pub(super) recorder: HourRecorder,
    pub(super) hook_health: HookHealth,
}

impl Followers {
    /// Each runs until the token is cancelled.
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
