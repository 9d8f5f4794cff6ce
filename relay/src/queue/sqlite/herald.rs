//! Passes the results of a commit from the writer's thread to the runtime in one step.
//!
//! Each result that is sent directly from another thread wakes the runtime with a system
//! call, and a commit has up to a thousand results.

use podtap_wire::Seq;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::queue::AppendError;
use crate::queue::commands::CommandReply;

/// Maximum number of commits whose results are on their way. The writer's thread sends the
/// results of further commits directly.
const COMMITS: usize = 64;

/// Reply channel of an append, and its result.
pub(super) type AppendAnswer = (CommandReply<Seq, AppendError>, Result<Seq, AppendError>);

/// The writer's end of the channel.
#[derive(Debug)]
pub(super) struct Herald(Option<mpsc::Sender<Vec<AppendAnswer>>>);

impl Herald {
    /// Starts the receiving task in `tasks`. Without a runtime, results are sent directly.
    pub(super) fn start(tasks: &mut JoinSet<()>) -> Self {
        if Handle::try_current().is_err() {
            return Self(None);
        }
        let (herald, mut commits) = mpsc::channel(COMMITS);
        tasks.spawn(async move {
            while let Some(answers) = commits.recv().await {
                tell(answers);
            }
        });
        Self(Some(herald))
    }

    /// Sends all results.
    pub(super) fn answer(&self, answers: Vec<AppendAnswer>) {
        let herald = self.0.as_ref().filter(|_| answers.len() > 1);
        match herald.map(mpsc::Sender::try_reserve) {
            Some(Ok(place)) => place.send(answers),
            Some(Err(_)) | None => tell(answers),
        }
    }
}

fn tell(answers: Vec<AppendAnswer>) {
    for (reply, answer) in answers {
        // The receiver may be gone if the caller was cancelled. The event is stored anyway.
        let _ = reply.send(answer);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use tokio::sync::oneshot;

    use super::*;

    fn append_answers(
        count: usize,
    ) -> (
        Vec<AppendAnswer>,
        Vec<oneshot::Receiver<Result<Seq, AppendError>>>,
    ) {
        let all = (0..count).map(|number| {
            let (reply, answer) = oneshot::channel();
            let seq = Seq(u64::try_from(number).unwrap());
            ((reply, Ok(seq)), answer)
        });
        all.unzip()
    }

    #[tokio::test]
    async fn everyone_is_answered_and_more_commits_than_it_carries_are_answered_too() {
        let mut tasks = JoinSet::new();
        let herald = Herald::start(&mut tasks);
        let mut waiting = Vec::new();
        for _ in 0..COMMITS + 2 {
            let (answers, told) = append_answers(3);
            herald.answer(answers);
            waiting.extend(told);
        }
        for told in waiting {
            assert!(told.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn from_another_thread_the_answers_of_a_commit_wake_nobody_by_themselves() {
        #[derive(Default)]
        struct Woken(AtomicUsize);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let mut tasks = JoinSet::new();
        let herald = Herald::start(&mut tasks);
        let (answers, mut told) = append_answers(100);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        for answer in &mut told {
            let pending = std::pin::Pin::new(answer);
            let polled = pending.poll(&mut std::task::Context::from_waker(&waker));
            assert!(polled.is_pending());
        }
        // The runtime's only thread is blocked here, so the task cannot have run yet.
        std::thread::scope(|scope| scope.spawn(|| herald.answer(answers)).join().unwrap());
        assert_eq!(woken.0.load(Ordering::Relaxed), 0);
        tokio::task::yield_now().await;
        assert_eq!(woken.0.load(Ordering::Relaxed), 100);
    }

    #[test]
    fn without_a_runtime_they_go_directly() {
        let herald = Herald::start(&mut JoinSet::new());
        let (answers, told) = append_answers(2);
        herald.answer(answers);
        for mut told in told {
            assert!(told.try_recv().unwrap().is_ok());
        }
    }
}
