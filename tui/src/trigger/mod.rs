//! Events that Podio did not send: a form for one, and what came of it. `offer` says what the fields
//! hold at first, `more` reads parameters beyond the catalogue.

mod effect;
mod more;
mod offer;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use podtap_agent::draft::{Draft, PATH};
use podtap_agent::{Target, Trigger, Triggered};
use podtap_podio::PodioEvent;

pub(crate) use effect::{TriggerAnswer, TriggerEffect, run};
use offer::PARAMETER;
pub(crate) use offer::{LastSent, Offer};

use crate::theme::Role;
use crate::widget::form::{Field, FieldName, Form, optional};
use crate::words;

/// The form's fields, but for those of the parameters.
const EVENT: FieldName = FieldName("event");
const PATH_FIELD: FieldName = FieldName("path");
const TARGET: FieldName = FieldName("target");

impl Offer {
    /// The form: what was sent last comes first, then what the selected event says, then Podio's
    /// usual.
    pub(crate) fn form(
        selected: Option<&PodioEvent>,
        last: &LastSent,
        target: Option<&Target>,
    ) -> (Form, Self) {
        let offer = Self::new(selected, last);
        let (names, chosen) = offer.choices();
        let local = target.map(ToString::to_string);
        let local = local.unwrap_or_else(|| "none is configured".to_owned());
        let mut fields = vec![
            Field::choice(EVENT, "Event", names, chosen),
            Field::text(PATH_FIELD, "Path", last.path(), PATH),
            Field::text(TARGET, "Local service", last.target(), local),
        ];
        fields.extend(offer.fields(last));
        (Form::new("Trigger an event", "send", fields), offer)
    }

    /// Another option was chosen: the parameters of that type take the place of those before.
    pub(crate) fn option_chosen(&mut self, field: FieldName, form: &mut Form, last: &LastSent) {
        if field == EVENT {
            self.choose(form.chosen_index(EVENT), form.pairs(PARAMETER), last);
            form.replace_after(TARGET, self.fields(last));
        }
    }

    /// What the form asks for, which is remembered; or what is wrong in it.
    pub(crate) fn read(
        &self,
        form: &Form,
        target: Option<&Target>,
        last: &mut LastSent,
        now: Timestamp,
    ) -> Result<TriggerEffect, String> {
        let (path, local) = (form.text(PATH_FIELD), form.text(TARGET));
        let fields = form.pairs(PARAMETER);
        let elsewhere = optional(&local, |text| {
            text.parse::<Target>().map_err(|error| error.to_string())
        })?;
        if elsewhere.is_none() && target.is_none() {
            return Err("there is no local service to send it to: name one, such as 3000".into());
        }
        // Podio keeps no order, and no handler should come to rely on one.
        let seed = now.as_millisecond().cast_unsigned();
        let mut request = Draft::of_form(self.params(&fields)?, seed).request;
        request.path = request_path(&path)?;
        last.keep(self.kind(), &path, &local, &fields);
        let target = elsewhere;
        Ok(TriggerEffect::Trigger(Box::new(Trigger {
            request,
            target,
        })))
    }
}

/// What came of a triggered event, in words.
pub(crate) fn trigger_notice(result: Result<Box<Triggered>, String>) -> (Role, String) {
    match result {
        Ok(triggered) => {
            let (role, outcome) = words::outcome_and_time(&triggered.attempt);
            let id = words::short_id(triggered.event);
            (role, format!("Sent {id}: {outcome}"))
        }
        Err(error) => (Role::Failed, format!("Cannot send it: {error}")),
    }
}

/// A path as HTTP takes it; the usual one where there is none.
fn request_path(text: &str) -> Result<String, String> {
    let path = match text.trim() {
        "" => PATH,
        path => path,
    };
    if !path.chars().all(|c| c.is_ascii_graphic() && c != '#') {
        return Err(format!(
            "{path:?} is no path: write spaces as %20, and é as %C3%A9"
        ));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(format!("{slash}{path}"))
}
