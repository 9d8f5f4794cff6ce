//! Determines which events repeat an earlier one, which arrived after a newer revision of their
//! item, and which revisions never arrived. Pure: the history has looked up the neighbours.
//!
//! A gap belongs to the event just above it, so that a late arrival in
//! between divides or closes it: each event stores how many revisions
//! are missing between it and the next lower one that has arrived.

use crate::history::{Arrival, Duplicate, Fact, Neighbour};

/// Returns the facts that an event's arrival shows about it and about the event above it.
pub(super) fn marks(arrival: &Arrival) -> Vec<Fact> {
    let mut notes = Vec::new();
    if let Some(earlier) = &arrival.earlier {
        notes.push(Fact::Duplicate {
            event: arrival.event,
            duplicate: Duplicate {
                of: earlier.position,
                same_hook: earlier.hook_id == arrival.hook_id,
            },
        });
    }
    if let Some(after) = arrival.newer {
        let event = arrival.event;
        notes.push(Fact::Late { event, after });
    }
    let Some(revision) = arrival.revision else {
        return notes;
    };
    // A hook on a field receives only some of the revisions.
    if let (Some(below), None, false) = (arrival.below, &arrival.earlier, arrival.on_field) {
        let revisions = between(below, revision);
        if revisions > 0 {
            let event = arrival.event;
            notes.push(Fact::Missing { event, revisions });
        }
    }
    if let Some(above) = arrival.above {
        notes.push(narrow_gap(above, revision));
    }
    notes
}

/// Returns the fact about the event above a rebuilt one: fewer revisions are missing there.
pub(super) fn marks_of_repaired(arrival: &Arrival) -> Option<Fact> {
    let (above, revision) = (arrival.above?, arrival.revision?);
    arrival.repaired.then(|| narrow_gap(above, revision))
}

/// Limits the gap below `above`, now that `revision` is stored.
fn narrow_gap(above: Neighbour, revision: u64) -> Fact {
    Fact::MissingAtMost {
        event: above.event,
        revisions: between(revision, above.revision),
    }
}

/// Returns the number of revisions strictly between two.
const fn between(low: u64, high: u64) -> u64 {
    high.saturating_sub(low).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{EarlierEvent, Position};
    use crate::watch::sample;

    fn update(position: i64, revision: u64) -> Arrival {
        sample::arrival("item.update", 4711, revision, position, 0)
    }

    fn missing(position: i64, revisions: u64) -> Fact {
        Fact::Missing {
            event: sample::key(position),
            revisions,
        }
    }

    #[test]
    fn the_first_revision_seen_has_nothing_missing_below_it() {
        assert_eq!(marks(&update(1, 7)), []);
    }

    #[test]
    fn revisions_that_were_skipped_are_counted() {
        let mut event = update(2, 7);
        event.below = Some(3);
        assert_eq!(marks(&event), [missing(2, 3)]);
        event.below = Some(6);
        assert_eq!(marks(&event), []);
    }

    #[test]
    fn a_late_arrival_divides_the_gap_and_the_last_one_closes_it() {
        let above = Neighbour {
            event: sample::key(2),
            revision: 7,
        };
        let at_most = |revisions| Fact::MissingAtMost {
            event: sample::key(2),
            revisions,
        };
        let mut late = update(3, 5);
        (late.below, late.above) = (Some(3), Some(above));
        assert_eq!(marks(&late), [missing(3, 1), at_most(1)]);

        let mut last = update(4, 6);
        (last.below, last.above) = (Some(5), Some(above));
        assert_eq!(marks(&last), [at_most(0)]);
    }

    #[test]
    fn a_repaired_event_closes_the_gap_that_it_was_missing_in_and_says_nothing_else() {
        let mut event = update(3, 6);
        (event.relayed, event.newer) = (false, Some(7));
        event.above = Some(Neighbour {
            event: sample::key(2),
            revision: 7,
        });
        assert_eq!(marks_of_repaired(&event), None);
        event.repaired = true;
        let closed = Fact::MissingAtMost {
            event: sample::key(2),
            revisions: 0,
        };
        assert_eq!(marks_of_repaired(&event), Some(closed));
    }

    #[test]
    fn what_comes_after_a_newer_revision_is_late_whether_or_not_it_is_new() {
        let mut event = update(3, 5);
        event.newer = Some(9);
        let late = Fact::Late {
            event: sample::key(3),
            after: 9,
        };
        assert_eq!(marks(&event), std::slice::from_ref(&late));
        event.earlier = Some(EarlierEvent {
            position: Position(1),
            hook_id: Some(7),
            verification: None,
        });
        let notes = marks(&event);
        assert!(notes.len() == 2 && notes.contains(&late), "{notes:?}");
    }

    #[test]
    fn a_hook_on_a_field_is_not_expected_to_see_every_revision() {
        let mut event = update(2, 7);
        (event.below, event.on_field) = (Some(3), true);
        assert_eq!(marks(&event), []);
    }

    #[test]
    fn a_second_hook_for_the_same_events_is_told_from_a_second_delivery() {
        let mut event = update(2, 7);
        event.below = Some(3);
        for (hook_id, same_hook) in [(Some(7), true), (Some(8), false)] {
            event.earlier = Some(EarlierEvent {
                position: Position(1),
                hook_id,
                verification: None,
            });
            let of = Position(1);
            let duplicate = Duplicate { of, same_hook };
            let event_key = event.event;
            let expected = Fact::Duplicate {
                event: event_key,
                duplicate,
            };
            assert_eq!(marks(&event), [expected]);
        }
    }
}
