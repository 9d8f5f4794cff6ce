//! Decides whether an event is for a target, and for which other targets. Pure.

use std::sync::Arc;

use crate::target::Target;

/// The task of one target's courier for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EventClaim {
    /// The event is to be delivered to this target.
    Mine(TargetShare),
    /// The event is only for other targets, or this target has answered it.
    Others,
    /// All targets of the event have answered it: nothing remains to be done.
    Answered,
}

/// How an event is shared among targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TargetShare {
    /// The other targets of the event.
    pub(super) others: Vec<Arc<str>>,
    /// Whether this is the first target, whose answer the sender gets.
    pub(super) is_first: bool,
    /// Whether the event is for no target, so that this courier has to hold it.
    pub(super) is_nobodys: bool,
}

impl EventClaim {
    /// Returns the claim of courier `number` on an event for these targets, some of which have
    /// already answered it.
    pub(super) fn of(
        targets: &[&Target],
        mine: &Target,
        number: usize,
        answered: &[String],
    ) -> Self {
        let Some(place) = targets.iter().position(|target| *target == mine) else {
            // The first courier holds events for no target.
            let is_nobodys = targets.is_empty() && number == 0;
            return if is_nobodys {
                Self::Mine(TargetShare {
                    is_first: true,
                    is_nobodys,
                    ..TargetShare::default()
                })
            } else {
                Self::Others
            };
        };
        let has_answered =
            |target: &Target| !answered.is_empty() && answered.contains(&target.to_string());
        if has_answered(mine) {
            return if place == 0 && targets.iter().all(|target| has_answered(target)) {
                Self::Answered
            } else {
                Self::Others
            };
        }
        let others = targets.iter().filter(|target| **target != mine);
        Self::Mine(TargetShare {
            others: others.map(|target| target.to_string().into()).collect(),
            is_first: place == 0,
            is_nobodys: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_share_once() {
        let [one, two, three]: [Target; 3] = ["1", "2", "3"].map(|port| port.parse().unwrap());
        let mine = |others: &[&Target], is_first| {
            EventClaim::Mine(TargetShare {
                others: others
                    .iter()
                    .map(|other| other.to_string().into())
                    .collect(),
                is_first,
                is_nobodys: false,
            })
        };
        let both = [&one, &two];
        assert_eq!(EventClaim::of(&[&one], &one, 0, &[]), mine(&[], true));
        assert_eq!(EventClaim::of(&both, &one, 0, &[]), mine(&[&two], true));
        assert_eq!(EventClaim::of(&both, &two, 1, &[]), mine(&[&one], false));
        assert_eq!(EventClaim::of(&both, &three, 2, &[]), EventClaim::Others);

        let answered = [one.to_string()];
        assert_eq!(
            EventClaim::of(&both, &one, 0, &answered),
            EventClaim::Others
        );
        assert_eq!(
            EventClaim::of(&both, &two, 1, &answered),
            mine(&[&one], false)
        );
        let answered = [one.to_string(), two.to_string()];
        assert_eq!(
            EventClaim::of(&both, &one, 0, &answered),
            EventClaim::Answered
        );
        assert_eq!(
            EventClaim::of(&both, &two, 1, &answered),
            EventClaim::Others
        );
        assert_eq!(
            EventClaim::of(&[&two], &two, 0, &answered),
            EventClaim::Answered
        );

        assert_eq!(EventClaim::of(&[], &two, 1, &[]), EventClaim::Others);
        let held = EventClaim::Mine(TargetShare {
            is_first: true,
            is_nobodys: true,
            ..TargetShare::default()
        });
        assert_eq!(EventClaim::of(&[], &one, 0, &[]), held);
    }
}
