//! Runs the long tasks of a command: when the first
//! ends, the others are cancelled, and all are awaited.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// Maximum time for the tasks to finish: the ten seconds that the
/// tasks themselves allow, and a little to close their connections.
const GRACE: Duration = Duration::from_secs(12);

/// Tasks that run side by side and end together.
pub(crate) struct Tasks {
    tasks: JoinSet<Result<(), Failure>>,
    token: CancellationToken,
}

impl Tasks {
    /// Begins without tasks; cancelling `token` ends all that are started.
    pub(crate) fn new(token: CancellationToken) -> Self {
        Self {
            tasks: JoinSet::new(),
            token,
        }
    }

    /// Returns the token that a task must watch.
    pub(crate) fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    pub(crate) fn start(
        &mut self,
        task: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) {
        self.tasks.spawn(task);
    }

    /// Waits until the first task ends, cancels the others and waits for them.
    ///
    /// # Errors
    /// The first failure of any task.
    pub(crate) async fn finish(mut self) -> Result<(), Failure> {
        let mut first = outcome_of(self.tasks.join_next().await);
        self.token.cancel();
        let rest = async {
            while let Some(ended) = self.tasks.join_next().await {
                first = std::mem::replace(&mut first, Ok(())).and(outcome_of(Some(ended)));
            }
        };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            tracing::warn!("some parts did not end in time; stored events are safe");
        }
        first
    }
}

fn outcome_of(
    ended: Option<Result<Result<(), Failure>, tokio::task::JoinError>>,
) -> Result<(), Failure> {
    match ended {
        None => Ok(()),
        Some(Ok(outcome)) => outcome,
        Some(Err(error)) => Err(Failure::because("a part of podtap failed", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_part_to_end_takes_the_others_along_and_its_failure_is_kept() {
        let mut tasks = Tasks::new(CancellationToken::new());
        let token = tasks.token();
        tasks.start(async move {
            token.cancelled().await;
            Ok(())
        });
        tasks.start(async { Err(Failure::usage("first")) });
        assert!(
            tasks
                .finish()
                .await
                .unwrap_err()
                .to_string()
                .contains("first")
        );
    }

    #[tokio::test]
    async fn a_failure_on_the_way_out_is_told_too() {
        let mut tasks = Tasks::new(CancellationToken::new());
        let token = tasks.token();
        tasks.start(async move {
            token.cancelled().await;
            Err(Failure::usage("late"))
        });
        tasks.start(async { Ok(()) });
        assert!(
            tasks
                .finish()
                .await
                .unwrap_err()
                .to_string()
                .contains("late")
        );
    }
}
