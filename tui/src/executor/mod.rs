//! Effects → work → answers: the only file that awaits the agent. Work runs in tasks that this
//! owns; dropping it ends them.

mod archive;
mod browse;
mod edit;
mod hooks;
mod read;

use std::future::pending;
use std::sync::Arc;

use jiff::tz::TimeZone;
use podtap_agent::history::Filter;
use podtap_agent::{AgentHandle, Replay};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::effect::Effect;
use crate::message::Answer;
pub(crate) use edit::edit;

/// Work under way at once. The panes ask one question at a time, so only what is sent adds up to this.
const MOST: usize = 64;

/// What carries out effects.
#[derive(Debug)]
pub(crate) struct Executor {
    agent: AgentHandle,
    zone: TimeZone,
    /// Variables that no other program gets.
    secrets: Arc<[String]>,
    work: JoinSet<Option<Answer>>,
    /// The page and the total being read: a new question ends the old one.
    reading: Option<AbortHandle>,
    counting: Option<AbortHandle>,
    /// What somebody waits for, and may no longer want.
    explaining: Option<AbortHandle>,
    importing: Option<AbortHandle>,
}

impl Executor {
    /// An executor for one agent; times are laid out in `zone`, and what it starts does not get the
    /// variables called `secrets`.
    pub(crate) fn new(agent: AgentHandle, zone: TimeZone, secrets: Vec<String>) -> Self {
        Self {
            agent,
            zone,
            secrets: secrets.into(),
            work: JoinSet::new(),
            reading: None,
            counting: None,
            explaining: None,
            importing: None,
        }
    }

    /// Starts an effect; its answer comes from [`Self::next`]. Effects that concern the terminal
    /// are the runtime's, not this one's.
    pub(crate) fn start(&mut self, effect: Effect) {
        if effect.is_for_the_terminal() {
            return;
        }
        let ended = match effect {
            Effect::StopExplaining => Some(&mut self.explaining),
            Effect::StopImporting => Some(&mut self.importing),
            _ => None,
        };
        if let Some(work) = ended {
            work.take().as_ref().inspect(|work| work.abort());
            return;
        }
        let full = self.work.len() >= MOST;
        let (agent, zone) = (self.agent.clone(), self.zone.clone());
        let secrets = Arc::clone(&self.secrets);
        let asks = match effect {
            Effect::LoadPage { .. } => Some(&mut self.reading),
            Effect::Count { .. } => Some(&mut self.counting),
            Effect::Explain { .. } => Some(&mut self.explaining),
            Effect::Import { .. } => Some(&mut self.importing),
            _ => None,
        };
        let started = self.work.spawn(async move {
            match effect {
                Effect::Replay { id, .. } if full => Some(Answer::Replayed {
                    id,
                    result: Err("too many replays are under way".to_owned()),
                }),
                Effect::Browse(link) => {
                    let result = browse::browse(link, &secrets).await;
                    Some(Answer::Browsed { result })
                }
                effect => answer(&agent, zone, effect).await,
            }
        });
        // Nobody waits for the answer to an older question any more.
        let former = asks.and_then(|asked| asked.replace(started));
        former.inspect(AbortHandle::abort);
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.work.is_empty()
    }

    /// The next answer; waits for ever where nothing is under way.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is ready.
    pub(crate) async fn next(&mut self) -> Answer {
        loop {
            match self.work.join_next().await {
                Some(Ok(Some(answer))) => return answer,
                Some(Err(error)) if error.is_panic() => {
                    std::panic::resume_unwind(error.into_panic())
                }
                Some(Ok(None) | Err(_)) => {}
                None => pending().await,
            }
        }
    }
}

/// Carries an effect out; `None` for those that are the runtime's.
#[expect(clippy::too_many_lines, reason = "a table: one arm an effect")]
async fn answer(agent: &AgentHandle, zone: TimeZone, effect: Effect) -> Option<Answer> {
    let history = agent.history();
    Some(match effect {
        Effect::LoadPage {
            generation,
            query,
            folding,
        } => {
            let result = read::page(history, query, folding).await.map_err(words);
            Answer::Page { generation, result }
        }
        Effect::Annotate { position, id, note } => {
            let result = agent
                .annotate(position, id, Some(&note))
                .await
                .map_err(words);
            Answer::Annotated { result }
        }
        Effect::CountArrivals { after, since } => {
            let result = history.arrivals(after, since).await.map_err(words);
            Answer::Arrivals { result }
        }
        Effect::Count { filter } => {
            let start = Instant::now();
            let result = history.count(filter.clone()).await.map_err(words);
            Answer::Count {
                filter,
                took: start.elapsed(),
                result,
            }
        }
        Effect::FindAll {
            filter,
            most,
            wanted,
        } => {
            let result = read::find_all(history, filter, most).await.map_err(words);
            Answer::FoundAll { wanted, result }
        }
        Effect::Remember { rows } => {
            let result = read::remembered(agent, rows).await;
            Answer::Remembered { result }
        }
        Effect::LoadEvent {
            generation,
            id,
            look,
        } => {
            let result = read::open(agent, id, look, zone).await;
            Answer::Event { generation, result }
        }
        Effect::Read { id, then } => {
            let result = read::event(history, id).await;
            Answer::Read { then, result }
        }
        Effect::FindValues => Answer::Values(read::values(history).await),
        Effect::Replay { id, target, edited } => {
            let (event, edited) = (id, edited.map(|edited| *edited));
            let target = match target {
                None => read::earlier_target(agent, id).await,
                target => target,
            };
            let replay = Replay {
                event,
                target,
                edited,
            };
            let result = agent.replay(replay).await.map(Box::new).map_err(words);
            Answer::Replayed { id, result }
        }
        Effect::Trigger(trigger) => {
            let result = agent.trigger(*trigger).await.map(Box::new).map_err(words);
            Answer::Triggered { result }
        }
        Effect::Compare { one, other } => {
            let id = other.0;
            let result = read::compare(history, one, other).await;
            Answer::Compared { id, result }
        }
        Effect::CompareAnswers { id, number } => {
            let result = read::compare_answers(history, id, number).await;
            Answer::Compared { id, result }
        }
        Effect::Explain { id } => {
            let result = agent.explain(id).await.map(Box::new).map_err(words);
            Answer::Explained { id, result }
        }
        Effect::FindLink { id } => {
            let found = agent.explain(id).await.map_err(words);
            let result = found.and_then(|found| {
                found
                    .link
                    .ok_or_else(|| "Podio tells no link for this event".to_owned())
            });
            Answer::Link { result }
        }
        Effect::LoadHooks { generation } => hooks::list(agent, generation).await,
        Effect::ChangeHook(change) => hooks::change(agent, change).await,
        Effect::Release { object } => {
            let result = agent.release(object).await.map_err(words);
            Answer::Released { object, result }
        }
        Effect::Measure => {
            let history = history.clone();
            let measured = tokio::task::spawn_blocking(move || history.bytes_on_disk());
            let bytes = measured.await.ok().and_then(Result::ok);
            let events = agent.history().count(Filter::default()).await.ok();
            Answer::Measured { bytes, events }
        }
        Effect::Export {
            selection,
            format,
            target,
            file,
        } => {
            let result = archive::export(agent, *selection, format, &target, file).await;
            Answer::Exported { result }
        }
        Effect::Import { file } => {
            let result = archive::import(agent, file).await;
            Answer::Imported { result }
        }
        Effect::StopExplaining
        | Effect::StopImporting
        | Effect::Draw
        | Effect::Suspend
        | Effect::Edit { .. }
        | Effect::Copy(_)
        | Effect::Browse(_)
        | Effect::Quit => return None,
    })
}

/// An error and what caused it, in words.
fn words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
