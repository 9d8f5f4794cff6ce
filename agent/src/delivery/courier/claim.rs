//! Whether an event is for a target, and for which others. Pure.

use std::sync::Arc;

use crate::config::Target;

/// What an event is to the courier of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is to be delivered here.
    Mine(Share),
    /// It is for others only, or this one has answered it.
    Others,
    /// All that it is for have answered it: nothing is left to do.
    Answered,
}

/// How an event is shared between targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Share {
    /// The other targets that are to have it.
    pub(super) others: Vec<Arc<str>>,
    /// Whether this is the first of them, whose answer is the sender's.
    pub(super) is_first: bool,
    /// Whether it is for none, so that somebody has to hold it.
    pub(super) is_nobodys: bool,
}

impl Claim {
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
                Self::Mine(Share {
                    is_first: true,
                    is_nobodys,
                    ..Share::default()
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
        Self::Mine(Share {
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
            Claim::Mine(Share {
                others: others
                    .iter()
                    .map(|other| other.to_string().into())
                    .collect(),
                is_first,
                is_nobodys: false,
            })
        };
        let both = [&one, &two];
        assert_eq!(Claim::of(&[&one], &one, 0, &[]), mine(&[], true));
        assert_eq!(Claim::of(&both, &one, 0, &[]), mine(&[&two], true));
        assert_eq!(Claim::of(&both, &two, 1, &[]), mine(&[&one], false));
        assert_eq!(Claim::of(&both, &three, 2, &[]), Claim::Others);

        let answered = [one.to_string()];
        assert_eq!(Claim::of(&both, &one, 0, &answered), Claim::Others);
        assert_eq!(Claim::of(&both, &two, 1, &answered), mine(&[&one], false));
        let answered = [one.to_string(), two.to_string()];
        assert_eq!(Claim::of(&both, &one, 0, &answered), Claim::Answered);
        assert_eq!(Claim::of(&both, &two, 1, &answered), Claim::Others);
        assert_eq!(Claim::of(&[&two], &two, 0, &answered), Claim::Answered);

        assert_eq!(Claim::of(&[], &two, 1, &[]), Claim::Others);
        let held = Claim::Mine(Share {
            is_first: true,
            is_nobodys: true,
            ..Share::default()
        });
        assert_eq!(Claim::of(&[], &one, 0, &[]), held);
    }
}
