//! Sends webhooks as Podio does: form-encoded, with a time limit, repeated after some
//! failures, and records the outcome of each.
//!
//! Events to one receiver are started in order, each when the previous one was answered or
//! its head start is over. Re-sends and delayed events do not hold up this order. The
//! webhooks arrive from `world` through one bounded channel.

mod compose;
mod plan;
mod post;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use podtap_podio::EventType;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::config::WebhookSending;
use super::observe::{Observation, SendOutcome, SentWebhook};
use super::shared::SharedSandbox;
use super::world::SandboxWebhook;
use compose::{Post, compose};
use post::Postman;

/// Maximum number of queued events per receiver. If it is reached, the sandbox waits.
const LINE: usize = 10_000;

/// Maximum number of events per receiver that are being sent or wait to be repeated.
const MAX_UNDER_WAY: usize = 1_000;

/// Sends webhooks until `token` is cancelled. Those in progress are then dropped.
pub(super) async fn run(
    shared: Arc<SharedSandbox>,
    mut webhooks: mpsc::Receiver<SandboxWebhook>,
    delivery: WebhookSending,
    random_seed: u64,
    token: CancellationToken,
) {
    let mut lines = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut rng = Rng::with_seed(random_seed);
    let postman = Postman::new(&delivery);
    let work = async {
        while let Some(webhook) = webhooks.recv().await {
            let line = lines.entry(receiver(&webhook.url)).or_insert_with(|| {
                let (send, waiting) = mpsc::channel(LINE);
                let line = ReceiverQueue {
                    shared: Arc::clone(&shared),
                    postman: postman.clone(),
                    delivery: delivery.clone(),
                    rng: rng.fork(),
                };
                tasks.spawn(line.run(waiting));
                send
            });
            // A line ends only with this loop.
            let _ = line.send(webhook).await;
        }
    };
    token.run_until_cancelled(work).await;
    tasks.shutdown().await;
}

/// Returns host and port of the receiver, whose answers decide when the next event is sent.
fn receiver(url: &str) -> String {
    Url::parse(url).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization())
}

/// Sends the events of one receiver.
struct ReceiverQueue {
    shared: Arc<SharedSandbox>,
    postman: Postman,
    delivery: WebhookSending,
    rng: Rng,
}

impl ReceiverQueue {
    async fn run(mut self, mut waiting: mpsc::Receiver<SandboxWebhook>) {
        let mut under_way = JoinSet::new();
        while let Some(webhook) = waiting.recv().await {
            let post = Arc::new(compose(&webhook, &mut self.rng));
            for wait in plan::sendings(self.delivery.disorder, &mut self.rng) {
                let (answered, first_answer) = oneshot::channel();
                let sending = EventSending {
                    shared: Arc::clone(&self.shared),
                    postman: self.postman.clone(),
                    webhook: webhook.clone(),
                    post: Arc::clone(&post),
                    gaps: self.delivery.retry_gaps.clone(),
                };
                under_way.spawn(sending.run(wait, answered));
                if wait.is_zero() {
                    let _ = timeout(self.delivery.head_start, first_answer).await;
                }
            }
            while under_way.try_join_next().is_some() {}
            while under_way.len() >= MAX_UNDER_WAY {
                under_way.join_next().await;
            }
        }
    }
}

/// Sends one event, with its re-sends.
struct EventSending {
    shared: Arc<SharedSandbox>,
    postman: Postman,
    webhook: SandboxWebhook,
    post: Arc<Post>,
    gaps: Vec<Duration>,
}

impl EventSending {
    async fn run(self, wait: Duration, answered: oneshot::Sender<()>) {
        sleep(wait).await;
        let mut answered = Some(answered);
        let mut gaps = self.gaps.iter();
        let mut attempt = 1_u32;
        loop {
            let outcome = self.attempt(attempt).await;
            if let Some(answered) = answered.take() {
                // The line may have continued already.
                let _ = answered.send(());
            }
            let again = outcome.is_sent_again() && self.webhook.event != EventType::HookVerify;
            match gaps.next().filter(|_| again) {
                Some(gap) => sleep(*gap).await,
                None => return,
            }
            if !self
                .shared
                .with_world(|world| world.delivers(self.webhook.hook_id))
            {
                return;
            }
            attempt = attempt.saturating_add(1);
        }
    }

    async fn attempt(&self, attempt: u32) -> SendOutcome {
        let hook_id = self.webhook.hook_id;
        let (outcome, took) = if self.shared.with_world(|world| world.outage) {
            (SendOutcome::Swallowed, Duration::ZERO)
        } else {
            let (outcome, took) = self.postman.send(&self.post).await;
            self.shared
                .with_world(|world| world.record_outcome(hook_id, outcome.is_success(), world.now));
            (outcome, took)
        };
        self.shared.observe(Observation::Sent(SentWebhook {
            hook_id,
            event: self.webhook.event,
            url: self.webhook.url.clone(),
            params: self.webhook.params.clone(),
            attempt,
            outcome: outcome.clone(),
            took,
        }));
        outcome
    }
}
