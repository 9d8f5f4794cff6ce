//! Determines which hooks to create for
//! `--app 123 --on 'item.*,comment.create'`. Pure: words and the catalogue.

use std::collections::BTreeSet;

use podtap_podio::selection::{NothingSelected, select};
use podtap_podio::{EventType, RefType};

use crate::draft::nearest;
use crate::place::{PlaceRef, WantedHook};

/// Why a list of event types gives no hooks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A part of the list is not an event type.
    #[error("{}{}", .0, did_you_mean(.0))]
    Unknown(#[from] NothingSelected),
    /// The event does not happen on this place.
    #[error(
        "`{part}` is not an event of {place}{}; its events are {}",
        kinds(.happens_on),
        event_names(.place.ref_type)
    )]
    Elsewhere {
        /// The part of the list.
        part: String,
        /// The requested place.
        place: PlaceRef,
        /// The kinds of place on which the event happens, sorted.
        happens_on: Vec<RefType>,
    },
}

/// Returns the hooks that `on` requests on one place: parts separated by commas, each an event type
/// or a group of them such as `item.*`. A group contains what Podio is known to accept there; event
/// types that the documentation allows and the API refuses (podio.md 1.1) must be named in full.
///
/// # Errors
/// Returns the first part that requests nothing that `place` can have.
pub fn plan(place: PlaceRef, on: &str) -> Result<Vec<WantedHook>, PlanError> {
    let mut wanted: Vec<WantedHook> = Vec::new();
    for part in on.split(',').map(str::trim) {
        let is_group = part.ends_with('*');
        let before = wanted.len();
        let selected = select(part)?;
        let possible = selected.iter().copied().filter(|event| {
            let is_taken = event.spec().ref_types.contains(&place.ref_type);
            is_taken && !(is_group && is_refused(place.ref_type, *event))
        });
        let mut asks_for_something = false;
        for event in possible {
            asks_for_something = true;
            let hook = WantedHook { place, event };
            if !wanted.iter().take(before).any(|known| *known == hook) {
                wanted.push(hook);
            }
        }
        if !asks_for_something {
            return Err(PlanError::Elsewhere {
                part: part.to_owned(),
                place,
                happens_on: happens_on(&selected),
            });
        }
    }
    Ok(wanted)
}

/// Returns whether the live API was seen to refuse this type, though it is documented.
const fn is_refused(ref_type: RefType, event: EventType) -> bool {
    matches!(
        (ref_type, event),
        (
            RefType::AppField,
            EventType::ItemCreate | EventType::ItemDelete
        ) | (RefType::Space, EventType::TaskDelete)
    )
}

/// Returns a suggestion of the type that was perhaps meant.
fn did_you_mean(unknown: &NothingSelected) -> String {
    let nearest = nearest(unknown.part()).filter(|event| *event != EventType::HookVerify);
    nearest.map_or_else(String::new, |event| format!("; did you mean `{event}`?"))
}

/// Returns the kinds of place on which any of these events happens.
fn happens_on(events: &[EventType]) -> Vec<RefType> {
    let all = events.iter().flat_map(|event| event.spec().ref_types);
    all.copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns text such as `, but of a space` with the option that names one.
fn kinds(happens_on: &[RefType]) -> String {
    let kinds: Vec<_> = happens_on
        .iter()
        .map(|kind| match kind {
            RefType::App => "an app (--app)",
            RefType::AppField => "a field (--field)",
            RefType::Space => "a space (--space)",
        })
        .collect();
    if kinds.is_empty() {
        String::new()
    } else {
        format!(", but of {}", kinds.join(" or "))
    }
}

fn event_names(ref_type: RefType) -> String {
    let names: Vec<_> = EventType::on(ref_type).map(EventType::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: PlaceRef, on: &str) -> Vec<&'static str> {
        let wanted = plan(place, on).unwrap();
        wanted.iter().map(|hook| hook.event.as_str()).collect()
    }

    #[test]
    fn groups_stand_for_what_the_place_takes_and_nothing_is_wanted_twice() {
        let app = PlaceRef::app(123);
        assert_eq!(
            names(app, "item.*, comment.create,item.update"),
            [
                "item.create",
                "item.update",
                "item.delete",
                "comment.create"
            ]
        );
        assert_eq!(names(app, "*").len(), 13);
        assert_eq!(names(PlaceRef::space(9), "*").len(), 11);
        assert_eq!(names(PlaceRef::field(7), "*"), ["item.update"]);
    }

    #[test]
    fn what_the_documentation_allows_may_be_named_in_full() {
        assert_eq!(names(PlaceRef::field(7), "item.create"), ["item.create"]);
        assert_eq!(names(PlaceRef::space(9), "task.delete"), ["task.delete"]);
    }

    #[test]
    fn what_a_place_does_not_take_is_refused_with_what_it_does() {
        let error = plan(PlaceRef::app(123), "item.*,task.*").unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains("`task.*`") && told.contains("app 123"),
            "{told}"
        );
        assert!(told.contains("but of a space (--space)"), "{told}");
        assert!(told.contains("comment.create"), "{told}");
        let error = plan(PlaceRef::space(9), "item.*").unwrap_err().to_string();
        assert!(
            error.contains("but of an app (--app) or a field (--field)"),
            "{error}"
        );
        let error = plan(PlaceRef::app(123), "itme.create").unwrap_err();
        assert!(matches!(error, PlanError::Unknown(_)));
        let told = error.to_string();
        assert!(told.contains("did you mean `item.create`?"), "{told}");
    }
}
