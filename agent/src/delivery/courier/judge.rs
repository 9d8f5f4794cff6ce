//! Evaluates the end of an attempt: for its event, its lane and the other lanes.

use std::time::Duration;

use super::attempt::{AttemptEnd, LaneVerdict};
use super::intake::CameOf;
use super::losses::AfterLoss;
use super::{Courier, CourierProgress};
use crate::history::{HistoryError, Outcome};

/// The consequence of an attempt for the other lanes.
#[derive(Debug)]
pub(super) enum LaneEffect {
    /// The local service answers.
    Up,
    /// Nothing new is known.
    Go,
    /// The local service is unreachable: pause, then check whether it accepts connections.
    Pause(Duration),
}

impl Courier {
    /// Frees the lane, or returns the event to it.
    pub(super) async fn judge(
        &self,
        progress: &mut CourierProgress,
        ended: AttemptEnd,
    ) -> Result<LaneEffect, HistoryError> {
        let AttemptEnd {
            key,
            begun,
            verdict,
        } = ended;
        match verdict {
            LaneVerdict::Done {
                waiting,
                attempt,
                answered,
            } => {
                let attempt = CameOf::Attempt {
                    attempt,
                    again: false,
                    others: waiting.share.others.clone(),
                };
                let todo = progress.intake.came_of(&waiting.event, attempt);
                self.see_to(progress, todo).await?;
                progress.finish(key, &waiting);
                if !answered {
                    return Ok(LaneEffect::Go);
                }
                progress.health.record_answer(begun);
                self.service_up();
                Ok(LaneEffect::Up)
            }
            LaneVerdict::Unreachable { waiting, reason } => {
                progress.lanes.requeue(key, *waiting);
                self.retries();
                self.service_down(reason);
                Ok(LaneEffect::Pause(self.config.probe_every))
            }
            LaneVerdict::Lost {
                mut waiting,
                when,
                reason,
            } => {
                let no_others = progress.lanes.has_none_to_ask();
                let (counts, next) = progress.health.record_loss(&mut waiting.losses, no_others);
                if counts {
                    let error = reason.clone();
                    let outcome = Outcome::Failed { error };
                    let again = next != AfterLoss::GiveUp;
                    let attempt = Box::new(self.on_record(&waiting.event, when, outcome));
                    let attempt = CameOf::Attempt {
                        attempt,
                        again,
                        others: waiting.share.others.clone(),
                    };
                    let todo = progress.intake.came_of(&waiting.event, attempt);
                    self.see_to(progress, todo).await?;
                    waiting.attempts += 1;
                }
                self.service_down(reason);
                let pause = LaneEffect::Pause(progress.health.pause(self.config.probe_every));
                if next == AfterLoss::GiveUp {
                    progress.finish(key, &waiting);
                    return Ok(pause);
                }
                self.retries();
                let set_behind = next == AfterLoss::SetBehind;
                let is_another_first = progress.lanes.requeue_lost(key, *waiting, set_behind);
                // The next event goes without a pause: its answer then proves that the service was
                // available when the first event was lost, not that it came back in between.
                Ok(if is_another_first {
                    LaneEffect::Go
                } else {
                    pause
                })
            }
        }
    }
}
