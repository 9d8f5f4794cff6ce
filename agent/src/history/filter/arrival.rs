//! Filters events as they arrive, before they are in the history: only the content of an event is
//! known then, not its deliveries.

use jiff::Timestamp;
use podtap_podio::{ObjectKind, PodioEvent, RefType};

use super::near::{is_parameter, near};
use super::parse::{PARAM, subjects};
use super::{Filter, FilterError, SavedFilters, Term, Test};
use crate::history::event::Event;
use crate::place::PlaceRef;

/// Words that an event's content can answer, in addition
/// to the kinds of objects and the names of parameters.
const KNOWN: &[&str] = &["type", "hook", "revision", "path", "method", "external"];

/// A filter for events by the content with which they arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalFilter(Filter);

impl ArrivalFilter {
    /// Parses a filter; `saved` are the filters for `@name`.
    ///
    /// # Errors
    /// For a text that is not a filter, that asks for something not yet known, or that names no
    /// field: a filter of the history that finds nothing shows that immediately, while a filter of
    /// arriving events that matches nothing does not.
    pub fn parse(text: &str, now: Timestamp, saved: &SavedFilters) -> Result<Self, FilterError> {
        let filter = Filter::parse(text, now, saved)?;
        check(text, saved)?;
        Ok(Self(filter))
    }

    /// Returns whether this event matches; `place` is the place of its hook, if known.
    pub fn takes(&self, event: &Event, place: Option<PlaceRef>) -> bool {
        all(self.0.terms(), event, place)
    }

    /// Returns whether the filter asks for the place of
    /// the event's hook, which the event does not contain.
    pub fn asks_place(&self) -> bool {
        fn asks(terms: &[Term]) -> bool {
            terms.iter().any(|term| match &term.test {
                Test::Object(ObjectKind::App | ObjectKind::Space, _) => true,
                Test::All(terms) => asks(terms),
                _ => false,
            })
        }
        asks(self.0.terms())
    }
}

fn check(text: &str, saved: &SavedFilters) -> Result<(), FilterError> {
    for (column, subject) in subjects(text) {
        let refused = match subject {
            Ok(word) => refusal(word),
            Err(text) => match text.strip_prefix('@').map(|name| saved.text(name)) {
                Some(Ok(inner)) => check(inner, saved)
                    .err()
                    .map(|error| format!("in {text}, {error}")),
                _ => Some(format!(
                    "`{text}` has no field; try type:item.*, path:/podio or hook:90211"
                )),
            },
        };
        if let Some(message) = refused {
            return Err(FilterError { column, message });
        }
    }
    Ok(())
}

/// Returns why this word cannot be used for an arriving event.
fn refusal(word: &str) -> Option<String> {
    let is_object = ObjectKind::from_word(word).is_some_and(|kind| kind != ObjectKind::Status);
    if KNOWN.contains(&word) || is_object || word.starts_with(PARAM) {
        return None;
    }
    if Filter::words().any(|known| known == word) || word == "note" {
        return Some(format!("`{word}:` is not yet known when an event arrives"));
    }
    if is_parameter(word) {
        return None;
    }
    Some(match near(word) {
        Some(near) => format!("there is no field `{word}:`; did you mean `{near}:`?"),
        None => format!(
            "there is no field `{word}:`; for a parameter of that name write `{PARAM}{word}:`"
        ),
    })
}

fn all(terms: &[Term], event: &Event, place: Option<PlaceRef>) -> bool {
    let mut terms = terms.iter();
    terms.all(|term| holds(&term.test, event, place) != term.negated)
}

fn holds(test: &Test, event: &Event, place: Option<PlaceRef>) -> bool {
    let request = &event.request;
    let podio = event.podio.as_ref();
    match test {
        Test::Type(pattern) => podio.is_some_and(|podio| pattern.matches(podio.kind.as_str())),
        Test::Object(kind, id) => {
            let object = podio.and_then(PodioEvent::object);
            let is_object = object.is_some_and(|object| (object.kind, object.id) == (*kind, *id));
            is_object || place.is_some_and(|place| is_place(place, *kind, *id))
        }
        Test::Hook(id) => podio.and_then(|podio| podio.hook_id) == Some(*id),
        Test::Revision(revision) => podio.and_then(PodioEvent::revision) == Some(*revision),
        Test::Path(pattern) => pattern.matches(&request.path),
        Test::Method(method) => request.method == *method,
        Test::Param { name, value } => podio.is_some_and(|podio| {
            let mut params = podio.params.iter();
            params.any(|(known, text)| known == name && value.matches(text))
        }),
        Test::All(terms) => all(terms, event, place),
        // Refused above, or never parsed from text.
        Test::Status(_)
        | Test::After(_)
        | Test::Before(_)
        | Test::Id(_)
        | Test::Replayed(_)
        | Test::Marked(..)
        | Test::Noted(_)
        | Test::Note(_)
        | Test::Between(..)
        | Test::Among(_)
        | Test::Failure(_)
        | Test::Text(_) => false,
    }
}

fn is_place(place: PlaceRef, kind: ObjectKind, id: u64) -> bool {
    let kind = match kind {
        ObjectKind::App => RefType::App,
        ObjectKind::Space => RefType::Space,
        _ => return false,
    };
    place
        == PlaceRef {
            ref_type: kind,
            ref_id: id,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::fresh_event as event;

    fn parse(text: &str) -> Result<ArrivalFilter, FilterError> {
        let filters = [
            ("items".to_owned(), "type:item.*".to_owned()),
            ("bad".to_owned(), "status:5xx".to_owned()),
        ];
        let saved = SavedFilters::new(filters, Timestamp::UNIX_EPOCH).unwrap();
        ArrivalFilter::parse(text, Timestamp::UNIX_EPOCH, &saved)
    }

    #[test]
    fn what_an_event_says_decides() {
        let update = event(
            "/crm/hook",
            "type=item.update&item_id=7&item_revision_id=3&hook_id=90&external_id=BUG-17",
        );
        let app = event("/", "type=app.update&app_id=5&hook_id=91");
        let plain = event("/x", "hello");
        for (text, takes) in [
            ("", [true, true, true]),
            ("type:item.*", [true, false, false]),
            ("-type:item.*", [false, true, true]),
            ("@items", [true, false, false]),
            ("-@items", [false, true, true]),
            ("item:7", [true, false, false]),
            ("app:5", [true, true, false]),
            ("space:5", [false, false, false]),
            ("hook:90", [true, false, false]),
            ("revision:3", [true, false, false]),
            ("path:/crm", [true, false, false]),
            ("path:*hook method:post", [true, false, false]),
            ("external:BUG-*", [true, false, false]),
            ("item_id:7 param.hook_id:90", [true, false, false]),
            ("type:item.* path:/x", [false, false, false]),
        ] {
            let filter = parse(text).unwrap();
            let place = |wanted: bool| wanted.then_some(PlaceRef::app(5));
            let taken = [
                filter.takes(&update, place(true)),
                filter.takes(&app, None),
                filter.takes(&plain, None),
            ];
            assert_eq!(taken, takes, "{text}");
        }
        assert!(!parse("app:5").unwrap().takes(&update, None));
    }

    #[test]
    fn what_is_not_known_yet_and_what_names_no_field_is_refused_at_its_place() {
        for (text, column, said) in [
            ("type:item.* status:5xx", 13, "not yet known"),
            ("after:10m", 1, "not yet known"),
            ("note:yes", 1, "not yet known"),
            ("duplicate:yes", 1, "not yet known"),
            ("@items typ:item.*", 8, "did you mean `type:`?"),
            ("itme:7", 1, "did you mean `item:`?"),
            ("colour:red", 1, "`param.colour:`"),
            ("item.create", 1, "has no field"),
            ("\"two words\"", 1, "has no field"),
            ("@bad", 1, "in @bad, column 1"),
            ("type:", 6, "a value is missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.column, column, "{text}: {error}");
            assert!(error.message.contains(said), "{text}: {error}");
        }
    }
}
