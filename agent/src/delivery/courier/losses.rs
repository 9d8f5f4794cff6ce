//! Evaluates lost connections: is the local service
//! unreachable, or does one event take it down? Pure.
//!
//! A service that accepts connections and drops each request is unreachable, such as the port of a
//! container with nothing behind it: events wait, and one at a time is sent as a test. A service
//! that goes down at a certain event is reachable: it answers others. So a loss counts against an
//! event only if the service has answered another one since the last loss, and an event with
//! [`MAX_COUNTED`] such losses is given up. If no other event gets an answer, an event that was
//! lost [`SET_BEHIND_AFTER`] times in a row lets the next one of its lane go first. If that one is
//! answered and the event is lost again, the event is given up, too.
//!
//! If no other event is left that might be answered, because there is none or the few others were
//! lost as well, only a test connection helps, over which nothing is sent. A port with nothing
//! behind it closes such a connection as well; a service that goes down at a certain event does
//! not. If it stayed open before each of [`MAX_WITHOUT_OTHERS`] losses, the event is given up. If
//! it was closed, no event is set behind another (invariant 2).

use std::time::Duration;

/// Number of counted losses, the first included, after which an event is given up.
const MAX_COUNTED: u32 = 3;

/// Number of losses of one event in a row after which the next event of its lane goes first, and
/// again after as many further losses.
const SET_BEHIND_AFTER: u32 = 5;

/// Number of losses of an event while no other event can be answered, each after a connection that
/// stayed open, after which the event is given up.
const MAX_WITHOUT_OTHERS: u32 = 5;

/// Number of losses in a row after which the service is tested with a connection.
const LOOK_AFTER: u32 = 2;

/// Maximum number of times that the pause between two attempts doubles while nothing is answered.
const MAX_DOUBLINGS: u32 = 3;

/// How the local service accepts requests, judged by their outcomes.
#[derive(Debug, Default)]
pub(super) struct ServiceHealth {
    /// Number of losses of any event so far.
    losses: u64,
    /// The value of `losses` at the start of the latest attempt that was answered.
    answered_after: u64,
    /// Number of losses since the last answer.
    in_a_row: u32,
    /// Whether a test connection stayed open since the last loss, if one was made.
    stayed_open: Option<bool>,
}

/// The number of losses at the start of an attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossesAtStart(u64);

/// The losses of one event.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Losses {
    /// Number of counted losses.
    counted: u32,
    /// Number of losses since the last counted one, inclusive.
    in_a_row: u32,
    /// Number of its last loss among all losses.
    last: u64,
    set_behind: bool,
    /// Number of losses while no other event could be
    /// answered, each after a connection that stayed open.
    without_others: u32,
}

/// What to do with an event that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterLoss {
    /// Send the same event again.
    Again,
    /// Send the next event of its lane first.
    SetBehind,
    /// Give the event up.
    GiveUp,
}

impl ServiceHealth {
    pub(super) fn begin(&self) -> LossesAtStart {
        LossesAtStart(self.losses)
    }

    pub(super) fn record_answer(&mut self, LossesAtStart(losses): LossesAtStart) {
        self.answered_after = self.answered_after.max(losses);
        self.in_a_row = 0;
    }

    /// Records a loss of the event with the losses `of`; `no_others` if no other event waits that
    /// might be answered. Returns whether the attempt is to be stored, and what to do next.
    pub(super) fn record_loss(&mut self, of: &mut Losses, no_others: bool) -> (bool, AfterLoss) {
        let stayed_open = self.stayed_open.take();
        of.without_others = match stayed_open {
            Some(true) if no_others => of.without_others + 1,
            None if no_others => of.without_others,
            _ => 0,
        };
        let is_too_much = of.without_others >= MAX_WITHOUT_OTHERS;
        let counts = of.counted == 0 || self.answered_after >= of.last || is_too_much;
        self.losses += 1;
        self.in_a_row = self.in_a_row.saturating_add(1);
        of.last = self.losses;
        if counts {
            of.counted += 1;
            of.in_a_row = 0;
        }
        of.in_a_row = of.in_a_row.saturating_add(1);
        let next = if of.counted >= MAX_COUNTED || (counts && of.set_behind) || is_too_much {
            AfterLoss::GiveUp
        } else if of.in_a_row.is_multiple_of(SET_BEHIND_AFTER) && stayed_open != Some(false) {
            of.set_behind = true;
            AfterLoss::SetBehind
        } else {
            AfterLoss::Again
        };
        (counts, next)
    }

    /// Records whether a test connection stayed open; `None` if none was made.
    pub(super) fn record_look(&mut self, stayed_open: Option<bool>) {
        self.stayed_open = stayed_open;
    }

    /// Returns whether the service is to be tested with a connection before the next attempt.
    pub(super) fn wants_a_look(&self) -> bool {
        self.in_a_row >= LOOK_AFTER
    }

    /// Returns whether nothing was answered since the
    /// last loss: then one attempt at a time is enough.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_a_row > 0
    }

    /// Returns the pause before the next attempt; `probe_every` is the pause between two probes.
    pub(super) fn pause(&self, probe_every: Duration) -> Duration {
        let doublings = self.in_a_row.saturating_sub(1).min(MAX_DOUBLINGS);
        probe_every.saturating_mul(1 << doublings)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(health: &mut ServiceHealth) {
        let begun = health.begin();
        health.record_answer(begun);
    }

    #[test]
    fn a_service_that_answers_nothing_uses_up_no_event() {
        let (mut health, mut of) = (ServiceHealth::default(), Losses::default());
        assert_eq!(health.record_loss(&mut of, false), (true, AfterLoss::Again));
        for nth in 2..1000 {
            let next = match nth % SET_BEHIND_AFTER {
                0 => AfterLoss::SetBehind,
                _ => AfterLoss::Again,
            };
            assert_eq!(health.record_loss(&mut of, false), (false, next), "{nth}");
        }
        assert!(health.is_in_doubt());
        assert_eq!(
            health.pause(Duration::from_millis(500)),
            Duration::from_secs(4)
        );
    }

    #[test]
    fn an_event_is_given_up_where_others_are_answered_between_its_losses() {
        let (mut health, mut of) = (ServiceHealth::default(), Losses::default());
        assert_eq!(health.record_loss(&mut of, false), (true, AfterLoss::Again));
        answer(&mut health);
        assert_eq!(health.record_loss(&mut of, false), (true, AfterLoss::Again));
        // Nothing was answered in between, so the loss does not count.
        assert_eq!(
            health.record_loss(&mut of, false),
            (false, AfterLoss::Again)
        );
        answer(&mut health);
        assert_eq!(
            health.record_loss(&mut of, false),
            (true, AfterLoss::GiveUp)
        );
    }

    #[test]
    fn an_answer_to_what_began_before_the_loss_says_nothing() {
        let (mut health, mut of) = (ServiceHealth::default(), Losses::default());
        let long = health.begin();
        for _ in 0..4 {
            assert_eq!(health.record_loss(&mut of, false).1, AfterLoss::Again);
            health.record_answer(long);
        }
    }

    #[test]
    fn an_event_that_was_set_behind_is_given_up_once_the_other_was_answered() {
        let (mut health, mut of) = (ServiceHealth::default(), Losses::default());
        while health.record_loss(&mut of, false).1 != AfterLoss::SetBehind {}
        answer(&mut health);
        assert_eq!(
            health.record_loss(&mut of, false),
            (true, AfterLoss::GiveUp)
        );
    }

    #[test]
    fn an_event_that_no_others_is_given_up_where_the_service_is_there_before_each_loss() {
        let (mut health, mut of) = (ServiceHealth::default(), Losses::default());
        let mut lost = |stays_open: bool, no_others: bool| {
            if health.wants_a_look() {
                health.record_look(Some(stays_open));
            }
            health.record_loss(&mut of, no_others)
        };
        for _ in 0..100 {
            assert_ne!(
                lost(false, true).1,
                AfterLoss::GiveUp,
                "a port with nothing behind it"
            );
            assert_ne!(
                lost(true, false).1,
                AfterLoss::GiveUp,
                "others wait as well"
            );
        }
        for nth in 1..MAX_WITHOUT_OTHERS {
            assert_ne!(lost(true, true).1, AfterLoss::GiveUp, "{nth}");
        }
        assert_eq!(lost(true, true), (true, AfterLoss::GiveUp));
    }

    #[test]
    fn nothing_is_set_behind_while_the_service_closes_its_connections() {
        let (mut health, mut of) = (ServiceHealth::default(), Losses::default());
        for _ in 0..20 {
            health.record_look(Some(false));
            assert_eq!(health.record_loss(&mut of, false).1, AfterLoss::Again);
        }
        for _ in 0..SET_BEHIND_AFTER - 1 {
            health.record_look(Some(true));
            assert_eq!(health.record_loss(&mut of, false).1, AfterLoss::Again);
        }
        health.record_look(Some(true));
        assert_eq!(health.record_loss(&mut of, false).1, AfterLoss::SetBehind);
    }

    proptest! {
        /// An event is given up only if another was answered since its last counted loss.
        #[test]
        fn no_event_is_given_up_without_another_ones_answer(
            steps in prop::collection::vec((0_usize..4, prop::bool::weighted(0.2)), 1..200),
        ) {
            let (mut health, mut events) = (ServiceHealth::default(), [Losses::default(); 4]);
            let (mut answers, mut of) = (0, [0; 4]);
            for (which, is_answered) in steps {
                if is_answered {
                    answer(&mut health);
                    answers += 1;
                } else {
                    let (counts, next) = health.record_loss(&mut events[which], false);
                    if next == AfterLoss::GiveUp {
                        prop_assert!(counts && of[which] < answers);
                        events[which] = Losses::default();
                    }
                    if counts {
                        of[which] = answers;
                    }
                }
            }
        }
    }
}
