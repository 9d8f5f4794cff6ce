//! Determines which events hooks must have sent about an item, from its revisions. Pure.

use std::collections::HashSet;

use jiff::Timestamp;
use podtap_podio::EventType;
use podtap_podio::client::{Revision, RevisionKind};

use crate::history::{ReportedChange, SeenHook};
use crate::podio_time::podio_time;

/// A hook of this tunnel that reports the items of one app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemHook {
    pub(super) hook_id: u64,
    pub(super) event: EventType,
    pub(super) app_id: u64,
    /// The field of the hook; `None` if it is on the app.
    pub(super) field_id: Option<u64>,
    pub(super) url: String,
    /// Time since which it is known to be active.
    pub(super) since: Option<Timestamp>,
}

/// Returns since when a hook reports changes: since its verification,
/// which may be long after its creation. For a hook that is older than
/// the oldest stored event, the first verification may have been removed.
pub(super) fn active_since(
    seen: SeenHook,
    created: Option<Timestamp>,
    whole_since: Option<Timestamp>,
) -> Option<Timestamp> {
    let is_older = created.is_some_and(|at| whole_since.is_some_and(|whole| at <= whole));
    let verified = seen.verified_at.filter(|_| !is_older);
    verified.or(created)
}

/// A revision that a hook can report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MadeRevision {
    pub(super) revision: u64,
    pub(super) event: EventType,
    pub(super) at: Timestamp,
}

impl MadeRevision {
    /// Converts a revision; `None` if it cannot be read or has an unknown kind.
    pub(super) fn of(revision: &Revision) -> Option<Self> {
        let event = match (revision.kind, revision.revision) {
            (RevisionKind::Creation, 0) => EventType::ItemCreate,
            (RevisionKind::Update, 1..) => EventType::ItemUpdate,
            _ => return None,
        };
        Some(Self {
            revision: revision.revision,
            event,
            at: podio_time(revision.created_on.as_deref()?)?,
        })
    }
}

/// The period in which changes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ChangePeriod {
    pub(super) since: Timestamp,
    pub(super) until: Timestamp,
}

impl ChangePeriod {
    /// Returns whether a change is within the period. Podio's times have seconds: a change within
    /// the first second counts, one in the last second only if that second is over.
    fn contains(self, at: Timestamp) -> bool {
        at.as_second() >= self.since.as_second() && at < self.until
    }
}

/// Returns whether this hook must have reported this change, according to its type and age. The
/// order of what happens within one second is unknown, so then no report is expected.
fn tells(hook: &ItemHook, made: &MadeRevision) -> bool {
    let was_there = |since: Timestamp| made.at.as_second() > since.as_second();
    hook.event == made.event && hook.since.is_none_or(was_there)
}

/// Returns the hooks that must have reported a change and did not. Hooks on a field are included;
/// they must have reported it only if their field was changed.
pub(super) fn unreported_changes<'a>(
    made: &MadeRevision,
    hooks: &'a [ItemHook],
    told: &HashSet<ReportedChange>,
    window: ChangePeriod,
) -> Vec<&'a ItemHook> {
    if !window.contains(made.at) {
        return Vec::new();
    }
    let is_told = |hook: &ItemHook| {
        told.contains(&ReportedChange {
            hook_id: hook.hook_id,
            event: made.event,
            revision: made.revision,
        })
    };
    let hooks = hooks.iter();
    hooks
        .filter(|hook| tells(hook, made) && !is_told(hook))
        .collect()
}

/// Returns whether every event that these hooks can have sent about an item with this newest
/// revision is stored, so that its revisions need not be requested. A hook on a field does not
/// report every revision.
pub(super) fn is_whole(newest: u64, hooks: &[ItemHook], told: &HashSet<ReportedChange>) -> bool {
    hooks.iter().all(|hook| {
        let wanted = match (hook.event, hook.field_id) {
            (EventType::ItemCreate, None) => 1,
            (EventType::ItemUpdate, None) => newest,
            _ => return false,
        };
        let is_its =
            |told: &&ReportedChange| told.hook_id == hook.hook_id && told.event == hook.event;
        told.iter().filter(is_its).count() as u64 >= wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn hook(hook_id: u64, event: EventType) -> ItemHook {
        ItemHook {
            hook_id,
            event,
            app_id: 1,
            field_id: None,
            url: String::new(),
            since: Some(at(10)),
        }
    }

    fn revision(kind: RevisionKind, number: u64) -> Revision {
        Revision {
            revision: number,
            item_revision_id: None,
            kind,
            created_on: Some("2027-01-15 08:00:20".to_owned()),
            created_by: None,
            created_via: None,
        }
    }

    fn reported_change(hook_id: u64, event: EventType, revision: u64) -> ReportedChange {
        ReportedChange {
            hook_id,
            event,
            revision,
        }
    }

    const WHOLE: ChangePeriod = ChangePeriod {
        since: Timestamp::UNIX_EPOCH,
        until: Timestamp::MAX,
    };

    #[test]
    fn a_hook_must_have_told_of_what_came_after_it_and_within_the_window() {
        let hooks = [
            hook(7, EventType::ItemUpdate),
            hook(8, EventType::ItemCreate),
        ];
        let known = HashSet::from([reported_change(7, EventType::ItemUpdate, 3)]);
        let missing = |revision, second, window| {
            let made = MadeRevision {
                revision,
                event: EventType::ItemUpdate,
                at: at(second),
            };
            unreported_changes(&made, &hooks, &known, window).len()
        };
        assert_eq!(missing(2, 20, WHOLE), 1);
        assert_eq!(missing(3, 20, WHOLE), 0, "it came");
        assert_eq!(missing(2, 10, WHOLE), 0, "the hook may be younger");
        let window = ChangePeriod {
            since: at(30),
            until: at(40),
        };
        for (second, expected) in [(29, 0), (30, 1), (39, 1), (40, 0)] {
            assert_eq!(missing(2, second, window), expected, "{second}");
        }
    }

    #[test]
    fn a_revision_that_is_not_understood_is_no_event() {
        use RevisionKind as K;
        let event = |kind, number| MadeRevision::of(&revision(kind, number)).map(|made| made.event);
        assert_eq!(event(K::Creation, 0), Some(EventType::ItemCreate));
        assert_eq!(event(K::Update, 4), Some(EventType::ItemUpdate));
        for (kind, number) in [
            (K::Update, 0),
            (K::Creation, 2),
            (K::Unknown, 3),
            (K::Delete, 3),
        ] {
            assert_eq!(event(kind, number), None, "{kind:?} {number}");
        }
        let mut undated = revision(K::Update, 4);
        undated.created_on = Some("soon".to_owned());
        assert_eq!(MadeRevision::of(&undated), None);
    }

    #[test]
    fn a_hook_counts_from_its_verification_unless_that_was_removed() {
        let seen = |verified_at| SeenHook {
            was_active: true,
            verified_at,
        };
        let (created, verified) = (Some(at(10)), Some(at(20)));
        assert_eq!(active_since(seen(verified), created, None), verified);
        assert_eq!(active_since(seen(verified), created, Some(at(5))), verified);
        assert_eq!(active_since(seen(verified), created, Some(at(15))), created);
        assert_eq!(active_since(seen(None), created, None), created);
        assert_eq!(active_since(seen(None), None, None), None);
    }

    #[test]
    fn an_item_of_which_all_came_needs_no_call() {
        let hooks = [
            hook(7, EventType::ItemUpdate),
            hook(8, EventType::ItemCreate),
        ];
        let mut known = HashSet::from([
            reported_change(8, EventType::ItemCreate, 0),
            reported_change(7, EventType::ItemUpdate, 1),
        ]);
        assert!(is_whole(1, &hooks, &known));
        assert!(!is_whole(2, &hooks, &known));
        known.insert(reported_change(7, EventType::ItemUpdate, 2));
        assert!(is_whole(2, &hooks, &known));
        let mut on_field = hooks.to_vec();
        on_field[0].field_id = Some(9);
        assert!(!is_whole(2, &on_field, &known));
    }
}
