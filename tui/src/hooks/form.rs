//! The form for a new hook: its place, event and URL.

use podtap_agent::{Place, PlaceRef};
use podtap_podio::EventType;

use super::effect::HookChange;
use super::row::HookRow;
use crate::widget::form::{Choice, Fields, FormField, Text};

/// The form for a new hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HookForm {
    /// One of the known places, or `None` for another one. Not shown if no place is known.
    place: Choice<Option<PlaceRef>>,
    /// The place to use if none of the known ones is chosen.
    other: Text,
    event: Choice<EventType>,
    url: Text,
    /// The place whose events can be chosen.
    followed: Option<PlaceRef>,
    /// The event that was chosen last. It is kept while the chosen place does not have it.
    wanted: EventType,
}

impl HookForm {
    /// Creates a form for a hook to `url`, with the place and event of `row` chosen at first.
    pub(crate) fn new(places: &[Place], row: Option<&HookRow>, url: &str) -> Self {
        let here = row.and_then(HookRow::place);
        let at = places.iter().position(|place| Some(place.at) == here);
        let event = row.and_then(HookRow::hook).map(|listed| &listed.hook.event);
        let event = event.and_then(|event| event.parse().ok());
        let known = places.iter().map(|place| (Some(place.at), label(place)));
        let options: Vec<_> = known.chain([(None, "another place".to_owned())]).collect();
        let place = Choice::new("On", options, at.unwrap_or(0));
        let followed = place.chosen_option().copied().flatten();
        let wanted = event.unwrap_or(EventType::ItemUpdate);
        let (other, event) = (other_field(followed, ""), event_field(followed, wanted));
        let (other, event) = if place.is_open() {
            (other, event.with_autofocus())
        } else {
            (other.with_autofocus(), event)
        };
        Self {
            place,
            other,
            event,
            url: url_field(url),
            followed,
            wanted,
        }
    }

    /// Returns the change that the form describes, or why it cannot be submitted.
    pub(crate) fn read(&self) -> Result<HookChange, String> {
        let other = self.other.text();
        let place = match self.place() {
            Some(place) if other.trim().is_empty() => place,
            Some(_) => return Err("choose `another place` for the one that is typed".to_owned()),
            None => other
                .parse::<PlaceRef>()
                .map_err(|error| error.to_string())?,
        };
        let event = *self.event.chosen_option().ok_or("choose an event")?;
        if !event.spec().ref_types.contains(&place.ref_type) {
            return Err(format!("{place} does not send {event}"));
        }
        let url = self.url.text().trim().to_owned();
        if url.is_empty() {
            return Err("enter the URL that the hook calls".to_owned());
        }
        Ok(HookChange::Create { place, event, url })
    }

    /// Returns the chosen place; `None` for another one.
    fn place(&self) -> Option<PlaceRef> {
        self.place.chosen_option().copied().flatten()
    }
}

impl Fields for HookForm {
    fn title(&self) -> &'static str {
        "New hook"
    }

    fn verb(&self) -> &'static str {
        "create"
    }

    fn fields(&self) -> Vec<&dyn FormField> {
        let mut fields: Vec<&dyn FormField> =
            vec![&self.place, &self.other, &self.event, &self.url];
        fields.drain(..usize::from(!self.place.is_open()));
        fields
    }

    fn fields_mut(&mut self) -> Vec<&mut dyn FormField> {
        let is_hidden = !self.place.is_open();
        let mut fields: Vec<&mut dyn FormField> = vec![
            &mut self.place,
            &mut self.other,
            &mut self.event,
            &mut self.url,
        ];
        fields.drain(..usize::from(is_hidden));
        fields
    }

    /// Offers the events of the chosen place. Typed text stays.
    fn follow_choice(&mut self) {
        let place = self.place();
        if place == self.followed {
            self.wanted = self.event.chosen_option().copied().unwrap_or(self.wanted);
            return;
        }
        self.followed = place;
        self.other = other_field(place, &self.other.text());
        self.event = event_field(place, self.wanted);
        self.url = url_field(&self.url.text());
    }
}

fn label(place: &Place) -> String {
    match &place.name {
        Some(name) => format!("{name} ({})", place.at),
        None => place.at.to_string(),
    }
}

fn other_field(place: Option<PlaceRef>, text: &str) -> Text {
    match place {
        Some(_) => Text::new("Another place", text, "not needed"),
        None => Text::new("Which", text, "app 123, space 9 or field 7"),
    }
}

/// Returns the events of a place, with `wanted` chosen at first if the place has it.
fn event_field(place: Option<PlaceRef>, wanted: EventType) -> Choice<EventType> {
    let mut events: Vec<EventType> = match place {
        Some(place) => EventType::on(place.ref_type).collect(),
        None => EventType::ALL.to_vec(),
    };
    // Podio sends `hook.verify` to each hook without being asked.
    events.retain(|event| !event.spec().ref_types.is_empty());
    let at = events.iter().position(|known| *known == wanted);
    let events = events.into_iter().map(|event| (event, event.to_string()));
    Choice::new("Event", events.collect(), at.unwrap_or(0))
}

fn url_field(url: &str) -> Text {
    Text::new("URL", url, "https://…")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{hook, orders};
    use super::*;
    use crate::keymap::{Action, KeyPress};
    use crate::widget::form::Form;

    const URL: &str = "https://hooks.example.com/key/podio/hook";

    fn places() -> Vec<Place> {
        let sales = Place {
            at: PlaceRef::space(9),
            name: None,
        };
        vec![orders(), sales]
    }

    fn press(form: &mut Form<HookForm>, keys: &str) {
        for key in keys.split(' ') {
            let key: KeyPress = key.parse().unwrap();
            let action = match key.to_string().as_str() {
                "tab" => Some(Action::NextTab),
                "shift-tab" => Some(Action::PreviousTab),
                _ => None,
            };
            assert!(!form.key(key, action));
        }
    }

    fn form(places: &[Place], url: &str) -> Form<HookForm> {
        Form::new(HookForm::new(places, None, url))
    }

    #[test]
    fn it_begins_like_the_selected_hook_and_leads_to_this_tunnel() {
        let row = HookRow::Hook(Box::new(hook(7, "comment.create", "x")));
        let form = HookForm::new(&places(), Some(&row), URL);
        let wanted = HookChange::Create {
            place: orders().at,
            event: EventType::CommentCreate,
            url: URL.to_owned(),
        };
        assert_eq!(form.read(), Ok(wanted));
    }

    #[test]
    fn events_are_those_of_the_chosen_place_and_what_is_typed_stays() {
        let mut form = form(&places(), "https://x.test/");
        press(&mut form, "tab a tab right");
        let events = event_field(Some(PlaceRef::space(9)), EventType::ItemUpdate);
        assert_eq!(form.fields().event, events);
        assert_eq!(form.fields().url.text(), "https://x.test/a");
        let HookChange::Create { place, event, .. } = form.fields().read().unwrap() else {
            panic!("a hook is made");
        };
        assert_eq!(place, PlaceRef::space(9));
        assert!(event.spec().ref_types.contains(&place.ref_type));
    }

    #[test]
    fn another_place_is_typed_and_refused_for_what_does_not_happen_there() {
        let mut form = form(&places(), URL);
        press(&mut form, "tab tab right right tab a p p");
        assert!(form.fields().read().unwrap_err().contains("app 123"));
        press(&mut form, "space 5");
        let made = form.fields().read().unwrap();
        assert!(matches!(made, HookChange::Create { place, .. } if place == PlaceRef::app(5)));
        press(&mut form, "tab t a s k . c r e a t e");
        let error = form.fields().read().unwrap_err();
        assert_eq!(error, "app 5 does not send task.create");
    }

    #[test]
    fn without_a_known_place_it_is_typed() {
        let mut form = form(&[], "");
        press(&mut form, "f i e l d space 7");
        assert!(form.fields().read().unwrap_err().contains("URL"));
        press(&mut form, "tab tab h t t p : / / x");
        let wanted = HookChange::Create {
            place: PlaceRef::field(7),
            event: EventType::ItemUpdate,
            url: "http://x".to_owned(),
        };
        assert_eq!(form.fields().read(), Ok(wanted));
    }
}
