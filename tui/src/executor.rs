//! Carries out effects and returns their answers. The `effect.rs` of each feature carries out its
//! own effects. The work runs in tasks that the executor owns; dropping the executor ends them.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;

use jiff::tz::TimeZone;
use podtap_agent::AgentHandle;
use tokio::task::{AbortHandle, JoinSet};

use crate::command::Slot;
use crate::effect::Effect;
use crate::message::FeatureAnswer;
use crate::{
    archive, compare, copy, detail, edit, explain, faults, figures, health, hooks, list, loops,
    names, notes, pulses, rate, repair, replay, search, target, timeline, trigger, why,
};

/// Number of running tasks at which replays are refused. The panes ask one question at a time, so
/// only replays can add up to this number.
const MOST: usize = 64;

/// The executor of effects.
#[derive(Debug)]
pub(crate) struct Executor {
    agent: AgentHandle,
    zone: TimeZone,
    /// Names of the environment variables that no other program gets.
    secrets: Arc<[String]>,
    work: JoinSet<Option<FeatureAnswer>>,
    /// The running work of each slot, which new work in the slot or a person can end.
    slots: HashMap<Slot, AbortHandle>,
}

impl Executor {
    /// Creates an executor for one agent. Times are shown in the zone `zone`, and the programs that
    /// it starts do not get the variables in `secrets`.
    pub(crate) fn new(agent: AgentHandle, zone: TimeZone, secrets: Vec<String>) -> Self {
        Self {
            agent,
            zone,
            secrets: secrets.into(),
            work: JoinSet::new(),
            slots: HashMap::new(),
        }
    }

    /// Starts an effect, whose answer [`Self::next`] returns. Ignores the effects that use the
    /// terminal: the runtime carries them out.
    pub(crate) fn start(&mut self, effect: Effect) {
        if effect.is_for_the_terminal() {
            return;
        }
        if let Effect::Stop(slot) = effect {
            self.slots.remove(&slot).inspect(AbortHandle::abort);
            return;
        }
        let slot = effect.slot();
        let work = Work {
            agent: self.agent.clone(),
            zone: self.zone.clone(),
            secrets: Arc::clone(&self.secrets),
            is_full: self.work.len() >= MOST,
        };
        let started = self.work.spawn(work.carry_out(effect));
        // No one needs the answer to an older question.
        let former = slot.and_then(|slot| self.slots.insert(slot, started));
        former.inspect(AbortHandle::abort);
    }

    /// Returns whether no work is running.
    pub(crate) fn is_idle(&self) -> bool {
        self.work.is_empty()
    }

    /// Returns the next answer. Waits for ever if no work is running.
    ///
    /// # Cancel safety
    /// No answer is lost if the future is dropped before it is ready.
    pub(crate) async fn next(&mut self) -> FeatureAnswer {
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

/// The state that one piece of work needs.
struct Work {
    agent: AgentHandle,
    zone: TimeZone,
    secrets: Arc<[String]>,
    /// Whether [`MOST`] tasks are running, so that a replay is refused.
    is_full: bool,
}

impl Work {
    /// Carries out an effect; returns `None` for those that the runtime carries out.
    async fn carry_out(self, effect: Effect) -> Option<FeatureAnswer> {
        let agent = &self.agent;
        Some(match effect {
            Effect::Archive(effect) => FeatureAnswer::Archive(archive::run(effect, agent).await),
            Effect::Compare(effect) => FeatureAnswer::Compare(compare::run(effect, agent).await),
            Effect::Copy(effect) => FeatureAnswer::Copy(copy::run(effect, agent).await),
            Effect::Detail(effect) => {
                FeatureAnswer::Detail(detail::run(effect, agent, self.zone).await)
            }
            Effect::Edit(effect) => FeatureAnswer::Edit(edit::run(effect, agent).await),
            Effect::Explain(effect) => {
                FeatureAnswer::Explain(explain::run(effect, agent, &self.secrets).await)
            }
            Effect::Figures(effect) => FeatureAnswer::Figures(figures::run(effect, agent).await),
            Effect::Health(effect) => FeatureAnswer::Health(health::run(effect, agent).await),
            Effect::Hooks(effect) => FeatureAnswer::Hooks(hooks::run(effect, agent).await),
            Effect::List(effect) => FeatureAnswer::List(list::run(effect, agent).await),
            Effect::Loops(effect) => FeatureAnswer::Loops(loops::run(effect, agent).await),
            Effect::Names(effect) => FeatureAnswer::Names(names::run(effect, agent).await),
            Effect::Notes(effect) => FeatureAnswer::Notes(notes::run(effect, agent).await),
            Effect::Faults(effect) => FeatureAnswer::Faults(faults::run(effect, agent).await),
            Effect::Pulses(effect) => FeatureAnswer::Pulses(pulses::run(effect, agent).await),
            Effect::Repair(effect) => FeatureAnswer::Repair(repair::run(effect, agent).await),
            Effect::Rate(effect) => FeatureAnswer::Rate(rate::run(effect, agent).await),
            Effect::Replay(effect) => {
                FeatureAnswer::Replay(replay::run(effect, agent, self.is_full).await)
            }
            Effect::Search(effect) => FeatureAnswer::Search(search::run(effect, agent).await),
            Effect::Target(effect) => FeatureAnswer::Target(target::run(effect, agent).await),
            Effect::Timeline(effect) => FeatureAnswer::Timeline(timeline::run(effect, agent).await),
            Effect::Trigger(effect) => FeatureAnswer::Trigger(trigger::run(effect, agent).await),
            Effect::Why(effect) => FeatureAnswer::Why(why::run(effect, agent).await),
            Effect::Stop(_)
            | Effect::Draw
            | Effect::Suspend
            | Effect::OpenEditor(_)
            | Effect::ToClipboard(_)
            | Effect::Switch(_)
            | Effect::Quit => return None,
        })
    }
}
