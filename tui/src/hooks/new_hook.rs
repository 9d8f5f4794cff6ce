//! The form for a new hook: on what, for which events, and where it shall lead. Pure: fields and
//! what they say.

use podtap_agent::{Place, PlaceRef};
use podtap_podio::EventType;

use super::effect::HookChange;
use super::row::Row;
use crate::widget::form::{Field, FieldName, Form};

/// The form's fields: a known place, where there is any; another one; the event; the URL.
const PLACE: FieldName = FieldName("place");
const OTHER: FieldName = FieldName("other place");
const EVENT: FieldName = FieldName("event");
const URL_FIELD: FieldName = FieldName("url");

/// What the fields of an open form stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewHook {
    /// The places to choose from; one more option is another place.
    places: Vec<Place>,
    /// The events to choose from.
    events: Vec<EventType>,
    /// The event that was chosen last: kept where a place does not have it, for the next one.
    wanted: EventType,
}

impl NewHook {
    /// A form for a hook to `url`, at first like the one at `row`.
    pub(crate) fn open(places: &[Place], row: Option<&Row>, url: &str) -> (Form, Self) {
        let here = row.and_then(Row::place);
        let at = places.iter().position(|place| Some(place.at) == here);
        let event = row.and_then(Row::hook).map(|listed| &listed.hook.event);
        let event = event.and_then(|event| event.parse().ok());
        let mut new = Self {
            places: places.to_vec(),
            events: Vec::new(),
            wanted: event.unwrap_or(EventType::ItemUpdate),
        };
        let at = at.unwrap_or(0);
        let mut fields = Vec::new();
        if !new.places.is_empty() {
            let place_label = new.places.iter().map(place_label);
            let options = place_label.chain(["another place".to_owned()]).collect();
            fields.push(Field::choice(PLACE, "On", options, at));
        }
        fields.extend(new.rest(at, "", url));
        let begin = if new.places.is_empty() { OTHER } else { EVENT };
        (
            Form::new("New hook", "create", fields).beginning_at(begin),
            new,
        )
    }

    /// Another option of a field was chosen: the events are those of the place.
    pub(crate) fn option_chosen(&mut self, field: FieldName, form: &mut Form) {
        if field == EVENT {
            self.wanted = self.event(form).unwrap_or(self.wanted);
        }
        if field != PLACE {
            return;
        }
        let (other, url) = (form.text(OTHER), form.text(URL_FIELD));
        let fields = self.rest(form.chosen_index(PLACE), &other, &url);
        form.replace_after(PLACE, fields);
    }

    /// What the form asks for, or what cannot be.
    pub(crate) fn read(&self, form: &Form) -> Result<HookChange, String> {
        let other = form.text(OTHER);
        let place = match self.place(form.chosen_index(PLACE)) {
            Some(place) if other.trim().is_empty() => place,
            Some(_) => return Err("choose `another place` for the one that is typed".to_owned()),
            None => other
                .parse::<PlaceRef>()
                .map_err(|error| error.to_string())?,
        };
        let event = self.event(form).ok_or("choose an event")?;
        if !event.spec().ref_types.contains(&place.ref_type) {
            return Err(format!("{event} does not happen on {place}"));
        }
        let url = form.text(URL_FIELD).trim().to_owned();
        if url.is_empty() {
            return Err("type the URL that the hook calls".to_owned());
        }
        Ok(HookChange::Create { place, event, url })
    }

    /// The fields after the choice of the place.
    fn rest(&mut self, chosen: usize, other: &str, url: &str) -> Vec<Field> {
        let place = self.place(chosen);
        let (label, otherwise) = match place {
            Some(_) => ("Another place", "not needed"),
            None => ("Which", "app 123, space 9 or field 7"),
        };
        self.events = match place {
            Some(place) => EventType::on(place.ref_type).collect(),
            None => EventType::ALL.to_vec(),
        };
        // Podio sends a hook.verify to each hook by itself.
        self.events
            .retain(|event| !event.spec().ref_types.is_empty());
        let at = self.events.iter().position(|known| *known == self.wanted);
        let names = self.events.iter().map(ToString::to_string).collect();
        vec![
            Field::text(OTHER, label, other, otherwise),
            Field::choice(EVENT, "Event", names, at.unwrap_or(0)),
            Field::text(URL_FIELD, "URL", url, "https://…"),
        ]
    }

    /// The listed place of an option; `None` for another one.
    fn place(&self, option: usize) -> Option<PlaceRef> {
        self.places.get(option).map(|place| place.at)
    }

    fn event(&self, form: &Form) -> Option<EventType> {
        self.events.get(form.chosen_index(EVENT)).copied()
    }
}

fn place_label(place: &Place) -> String {
    match &place.name {
        Some(name) => format!("{name} ({})", place.at),
        None => place.at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hook, orders};
    use super::*;
    use crate::keymap::{Action, Key};
    use crate::widget::form::FormEvent;

    const URL: &str = "https://hooks.example.com/key/podio/hook";

    fn places() -> Vec<Place> {
        let sales = Place {
            at: PlaceRef::space(9),
            name: None,
        };
        vec![orders(), sales]
    }

    fn press(new: &mut NewHook, form: &mut Form, keys: &str) {
        for key in keys.split(' ') {
            let key: Key = key.parse().unwrap();
            let action = match key.to_string().as_str() {
                "tab" => Some(Action::NextTab),
                "shift-tab" => Some(Action::PreviousTab),
                _ => None,
            };
            if let FormEvent::OptionChosen(field) = form.key(key, action) {
                new.option_chosen(field, form);
            }
        }
    }

    #[test]
    fn it_begins_like_the_selected_hook_and_leads_to_this_tunnel() {
        let row = Row::Hook(Box::new(hook(7, "comment.create", "x")));
        let (form, new) = NewHook::open(&places(), Some(&row), URL);
        let wanted = HookChange::Create {
            place: orders().at,
            event: EventType::CommentCreate,
            url: URL.to_owned(),
        };
        assert_eq!(new.read(&form), Ok(wanted));
    }

    #[test]
    fn events_are_those_of_the_chosen_place_and_what_is_typed_stays() {
        let (mut form, mut new) = NewHook::open(&places(), None, "https://x.test/");
        press(&mut new, &mut form, "tab a tab right");
        assert_eq!(
            new.events.len(),
            EventType::on(PlaceRef::space(9).ref_type).count()
        );
        assert_eq!(form.text(URL_FIELD), "https://x.test/a");
        let HookChange::Create { place, event, .. } = new.read(&form).unwrap() else {
            panic!("a hook is made");
        };
        assert_eq!(place, PlaceRef::space(9));
        assert!(event.spec().ref_types.contains(&place.ref_type));
    }

    #[test]
    fn another_place_is_typed_and_told_what_does_not_happen_there() {
        let (mut form, mut new) = NewHook::open(&places(), None, URL);
        press(&mut new, &mut form, "tab tab right right tab a p p");
        assert!(new.read(&form).unwrap_err().contains("app 123"));
        press(&mut new, &mut form, "space 5");
        let made = new.read(&form).unwrap();
        assert!(matches!(made, HookChange::Create { place, .. } if place == PlaceRef::app(5)));
        press(&mut new, &mut form, "tab t a s k . c r e a t e");
        let error = new.read(&form).unwrap_err();
        assert_eq!(error, "task.create does not happen on app 5");
    }

    #[test]
    fn without_a_known_place_it_is_typed() {
        let (mut form, mut new) = NewHook::open(&[], None, "");
        press(&mut new, &mut form, "f i e l d space 7");
        assert!(new.read(&form).unwrap_err().contains("URL"));
        press(&mut new, &mut form, "tab tab h t t p : / / x");
        let wanted = HookChange::Create {
            place: PlaceRef::field(7),
            event: EventType::ItemUpdate,
            url: "http://x".to_owned(),
        };
        assert_eq!(new.read(&form), Ok(wanted));
    }
}
