//! Whether an event is for a target, and for which others. Pure.

use std::sync::Arc;

use crate::target::Target;

/// What an event is to the courier of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EventClaim {
    /// It is to be delivered here.
    Mine(TargetShare),
    /// It is for others only, or this one has answered it.
    Others,
    /// All that it is for have answered it: nothing is left to do.
    Answered,
}

/// How an event is shared between targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TargetShare {
    /// The other targets that are to have it.
    pub(super) others: Vec<Arc<str>>,
    /// Whether this is the first of them, whose answer is the sender's.
    pub(super) is_first: bool,
    /// Whether it is for none, so that somebody has to hold it.
    pub(super) is_nobodys: bool,
}

impl EventClaim {
    /// The claim of the courier with this number on an event for these targets, some of which have
    /// answered it already.
    pub(super) fn of(
        targets: &[&Target],
        mine: &Target,
        number: usize,
        answered: &[String],
    ) -> Self {
        let Some(place) = targets.iter().position(|target| *target == mine) else {
            // The first one holds what is for none.
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
