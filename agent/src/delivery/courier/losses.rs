//! What a lost connection means: whether the local service is away, or one event is more than it
//! bears. Pure.
//!
//! A service that takes connections and drops each request, as a container's port does with nothing
//! behind it, is away: events wait, and one at a time is sent to try it. One that goes down at a
//! certain event is not: it answers others. So a loss counts against an event only where the service
//! has answered another since the last one, and an event whose losses count is given up after
//! [`MAX_COUNTED`]. Where nothing else is there to be answered, an event that was lost
//! [`SET_BEHIND_AFTER`] times in a row lets the next one of its lane go first; if that is answered
//! and the event is lost again, it is given up too.
//!
//! Where no other event is left that might be answered, since there is none or the few that there
//! are were lost as well, only a look at the service tells: a connection over which nothing is sent.
//! A port with nothing behind it closes that as well, and a service that goes down at a certain event
//! does not. Where it stayed open before each of [`MAX_WITHOUT_OTHERS`] losses, the event is given up;
//! where it was closed, none is set behind another (invariant 2).

use std::time::Duration;

/// Losses of one event that count, the first included; then it is given up.
const MAX_COUNTED: u32 = 3;

/// Losses of one event in a row after which the next one of its lane goes first, once.
const SET_BEHIND_AFTER: u32 = 5;

/// Losses of an event without another to be answered, each after a connection that stayed open; then
/// it is given up.
const MAX_WITHOUT_OTHERS: u32 = 5;

/// Losses in a row after which the service is looked at closer.
const LOOK_AFTER: u32 = 2;

/// How often the pause between two tries doubles while nothing is answered.
const MAX_DOUBLINGS: u32 = 3;

/// How the local service takes requests, by what came of them.
#[derive(Debug, Default)]
pub(super) struct ServiceHealth {
    /// Losses so far, of any event.
    losses: u64,
    /// How many of them an attempt has seen that was answered.
    answered_after: u64,
    /// Losses since the last answer.
    in_a_row: u32,
    /// Whether a connection stayed open since the last loss, where that was looked at.
    stayed_open: Option<bool>,
}

/// How many losses there were as an attempt began.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossesAtStart(u64);

/// What one event has lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Losses {
    /// Those that count.
    counted: u32,
    /// Those since the last one that counts, it included.
    in_a_row: u32,
    /// The number of the last one among all.
    last: u64,
    set_behind: bool,
    /// Those without another event to be answered, each after a connection that stayed open.
    without_others: u32,
}

/// What is to be done with an event that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterLoss {
    /// The same again.
    Again,
    /// The one behind it in its lane first.
    SetBehind,
    /// No more of it.
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

    /// It was lost, for an event with these losses; `no_others` where none waits that
    /// might be answered. Whether that is to be on record, and what next.
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

    /// A connection over which nothing was sent stayed open, or was closed; `None` where that was not
    /// looked at.
    pub(super) fn record_look(&mut self, stayed_open: Option<bool>) {
        self.stayed_open = stayed_open;
    }

    /// Whether the service is to be looked at before the next attempt.
    pub(super) fn wants_a_look(&self) -> bool {
        self.in_a_row >= LOOK_AFTER
    }

    /// Whether nothing was answered since the last loss: then one attempt at a time is enough.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_a_row > 0
    }

    /// The pause before the next attempt, by that between two probes.
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
        // Nothing was answered in between: that says nothing.
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
        /// An event is given up only where another was answered since its last loss that counts.
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
