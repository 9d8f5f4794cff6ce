//! Opens and runs the agent. Opening checks everything and starts nothing; the agent then runs
//! until it is asked to end or cannot continue.

mod error;
mod followers;
mod shared;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use podtap_disk::age::{Jump, Now};
use podtap_disk::bell::Bell;
use podtap_disk::clock_watch::ClockWatch;
use podtap_wire::Respond;
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::answers::{Allowance, Outbox};
use crate::change::CHANGE_BUFFER;
use crate::config::{AgentConfig, LinkConfig};
use crate::connection::ServiceConnector;
use crate::delivery::Delivery;
use crate::delivery::forward::Forwarder;
use crate::delivery::gate::DeliveryGate;
use crate::handle::AgentHandle;
use crate::history::Retention;
use crate::history::{
    self, Aftercare, ClockSet, Fact, HandedOver, History, HistoryError, Incident, Machine,
    PendingReader, WatchReader, Writer, WriterThread,
};
use crate::link::{Link, LinkOutputs};
use crate::lock::HistoryLock;
use crate::opening::{check, open_writer};
use crate::replay::{self, Replayer};
use crate::router::KnownPlaces;
use crate::routes::{CurrentRoutes, Routes};
use crate::status::Status;
use crate::target::Target;
use error::result_of_stop;
pub use error::{OpenError, RunError};
use followers::Followers;
use shared::SharedParts;

/// Pause between two checks for writes of other processes, if they do not announce them.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Pause between two runs of retention.
const RETAIN_EVERY: Duration = Duration::from_mins(1);

/// Pause between two runs if one step was not enough because events arrive fast.
const RETAIN_AGAIN: Duration = Duration::from_secs(5);

/// Pause between two steps, in which new events are made searchable.
const RETAIN_PAUSE: Duration = Duration::from_millis(10);

/// An agent that is ready to run. To close an agent
/// without running it, run it with a cancelled token.
#[derive(Debug)]
pub struct Agent {
    /// The limits of the history; `None` if this agent only browses.
    retention: Option<Retention>,
    writer: Writer,
    writer_thread: WriterThread,
    link: Option<Link>,
    delivery: Option<(Delivery, Vec<HandedOver>)>,
    followers: Option<Followers>,
    lock: Option<HistoryLock>,
    /// Path of the history.
    path: PathBuf,
    /// Whether the history must be checked.
    is_unchecked: bool,
}

impl Agent {
    /// Opens the history and checks the rest of the configuration. Only the threads of the history
    /// run yet, so that reading and replaying work immediately.
    pub fn open(config: AgentConfig) -> Result<(Self, AgentHandle), OpenError> {
        let AgentConfig {
            history: path,
            link,
            target,
            routes,
            delivery,
            retention,
            podio,
            trust,
        } = config;
        let routes = Arc::new(Routes::new(routes, target)?);
        let (changes, _) = broadcast::channel(CHANGE_BUFFER);
        let taken = link.is_some().then(|| take_over(&path)).transpose()?;
        let (lock, aftercare) = taken.unzip();
        let (writer, writer_thread) = open_writer(&path, &changes, lock.as_ref())?;
        let history = History::open_read_only(&path)?;
        let (tls, connector) =
            ServiceConnector::with_tls(&trust, needs_tls(link.as_ref(), &routes))?;
        let answers = answers(link.as_ref(), &routes);
        let (allowance, outbox) = answers.clone().unzip();
        let forwarder = Forwarder::new(&delivery, connector, allowance);
        let status = watch::Sender::new(first_status(link.as_ref(), &routes, &writer));
        let places = KnownPlaces::default();
        let replayer = Replayer {
            history: history.clone(),
            writer: writer.clone(),
            forwarder: forwarder.clone(),
            max_response_bytes: delivery.max_response_bytes,
            status: status.subscribe(),
            places: places.clone(),
            permits: Arc::new(Semaphore::new(replay::CONCURRENCY)),
        };
        let shared = SharedParts::open(&path, history, writer.clone(), &podio, link.as_ref())?;
        let mut handle = shared.handle(replayer, status.subscribe(), changes.clone(), podio.verify);
        let gate = DeliveryGate::new(podio.forward_verify, shared.held.clone());
        let followers = || shared.followers(podio, &status, &changes);
        let followers = link.is_some().then(followers);
        // Only the agent with the link delivers: a second one would deliver everything twice.
        let delivery = if link.is_some() {
            let pending = PendingReader::open(&path, writer.clone())?;
            let handed_over = pending.hand_over_to(routes.targets().len())?;
            let course = watch::Sender::new(CurrentRoutes::from(routes));
            let delivery = Delivery {
                pending,
                writer: writer.clone(),
                forwarder,
                course: course.subscribe(),
                places,
                watched: WatchReader::open(&path)?,
                changes: changes.clone(),
                config: delivery,
                gate,
                status: status.clone(),
                answers: outbox,
            };
            handle.routes = Some(course);
            Some((delivery, handed_over))
        } else {
            None
        };
        let outputs = LinkOutputs {
            writer: writer.clone(),
            status,
            changes,
            answers,
        };
        let link = link
            .map(|link| Link::new(&link, tls, outputs))
            .transpose()?;
        let agent = Self {
            // Only the agent with the link removes events: one that browses or replays does not
            // know its limits.
            retention: link.is_some().then_some(retention),
            writer,
            writer_thread,
            link,
            delivery,
            followers,
            lock,
            is_unchecked: aftercare == Some(Aftercare::Check),
            path,
        };
        Ok((agent, handle))
    }

    /// Runs until the token is cancelled, then ends in order: the link closes, running deliveries
    /// finish or wait in the history again, and the history is written. Takes at most 10 s.
    ///
    /// # Errors
    /// If it cannot continue; then, too, everything is ended in order.
    pub async fn run(self, token: CancellationToken) -> Result<(), RunError> {
        let Self {
            retention,
            writer,
            writer_thread,
            link,
            delivery,
            followers,
            lock,
            path,
            is_unchecked,
        } = self;
        let token = token.child_token();
        let mut parts = JoinSet::new();
        if let Some(link) = link {
            let token = token.clone();
            parts.spawn(async move { result_of_stop(link.run(token).await) });
        }
        if let Some((delivery, handed_over)) = delivery {
            let token = token.clone();
            parts.spawn(async move { Ok(delivery.run(handed_over, token).await?) });
        }
        if let Some(followers) = followers {
            followers.start(&mut parts, &token);
        }
        if is_unchecked {
            let (writer, path, token) = (writer.clone(), path.clone(), token.clone());
            parts.spawn(async move {
                check(writer, path, token).await;
                Ok(())
            });
        }
        parts.spawn({
            let token = token.clone();
            // Other processes notify the holder of the history about their writes.
            let bell = match &lock {
                Some(_) => Bell::at(&path, LOOK_EVERY),
                None => Bell::every(LOOK_EVERY),
            };
            async move { Ok(keep_house(&writer, bell, retention.as_ref(), token).await?) }
        });
        let mut outcome = Ok(());
        while let Some(part) = parts.join_next().await {
            // The first part to end ends the others, and its reason is the agent's.
            token.cancel();
            match part {
                Ok(result) => outcome = outcome.and(result),
                Err(error) => {
                    tracing::error!(%error, "a part of the agent has panicked");
                    outcome = outcome.and(Err(HistoryError::Closed.into()));
                }
            }
        }
        writer_thread.close().await;
        if let Some(lock) = lock {
            lock.release();
        }
        outcome
    }
}

fn first_status(link: Option<&LinkConfig>, routes: &Arc<Routes>, writer: &Writer) -> Status {
    let mut status = Status {
        tunnel: link.map(|link| link.tunnel.as_str().to_owned()),
        pending: writer.tally().borrow().pending,
        ..Status::default()
    };
    status.set_routes(routes);
    status
}

/// Locks a history for an agent with a link, and checks it if it was not closed.
fn take_over(path: &Path) -> Result<(HistoryLock, Aftercare), OpenError> {
    let lock = HistoryLock::take(path)?;
    let aftercare = if lock.was_cut_off() {
        history::after_a_cut(path)?
    } else {
        Aftercare::None
    };
    Ok((lock, aftercare))
}

/// Does the regular work for a history. Work that fails is done the next time.
async fn keep_house(
    writer: &Writer,
    mut bell: Bell,
    retention: Option<&Retention>,
    token: CancellationToken,
) -> Result<(), HistoryError> {
    let mut retain = interval(RETAIN_EVERY);
    retain.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut clock = ClockWatch::new(Now::read());
    loop {
        let done = tokio::select! {
            () = token.cancelled() => return Ok(()),
            () = bell.wait() => {
                if let Some(Jump(by_ms)) = clock.observe(Now::read()) {
                    let machine = Machine::Agent;
                    let set = Incident::ClockSet(ClockSet { machine, by_ms });
                    writer.add_facts_soon(vec![Fact::Incident(set)]).await?;
                }
                writer.check_for_changes().await.map(drop)
            }
            _ = retain.tick(), if retention.is_some() => {
                let went_on = let_go(writer, retention, &token).await;
                if let Ok(true) = went_on {
                    retain.reset_after(RETAIN_AGAIN);
                }
                went_on.map(drop)
            }
        };
        match done {
            Err(error) if !error.may_pass() => return Err(error),
            _ => {}
        }
    }
}

/// Removes the events beyond the limits of `retention`; returns whether it took more than one step.
async fn let_go(
    writer: &Writer,
    retention: Option<&Retention>,
    token: &CancellationToken,
) -> Result<bool, HistoryError> {
    let mut went_on = false;
    while let Some(retention) = retention
        && writer.retain(retention.clone(), Now::read()).await?
        && token
            .run_until_cancelled(sleep(RETAIN_PAUSE))
            .await
            .is_some()
    {
        went_on = true;
    }
    Ok(went_on)
}

/// Returns the queue for answers of the local service to the relay, if the local service answers;
/// otherwise only the relay answers.
fn answers(link: Option<&LinkConfig>, routes: &Routes) -> Option<(Allowance, Outbox)> {
    let is_local = link.is_some_and(|link| link.respond == Respond::Local);
    let answers = || (Allowance::default(), Outbox::default());
    (is_local && !routes.targets().is_empty()).then(answers)
}

fn needs_tls(link: Option<&LinkConfig>, routes: &Routes) -> bool {
    let relay = link.map(|link| &link.relay);
    let targets = routes.targets().iter().filter_map(Target::url);
    let mut urls = targets.chain(relay);
    urls.any(|url| url.scheme() == "https")
}
