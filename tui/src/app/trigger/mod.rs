//! Trigger: a form for an event that nobody sent, and what came of it. `offer` says what the fields
//! hold at first, `more` reads parameters beyond the catalogue.

#[cfg(test)]
mod scenes;
#[cfg(test)]
mod tests;

use podtap_agent::draft::{Draft, PATH};
use podtap_agent::{Target, Trigger, Triggered};

use super::App;
use super::replay::{ended, optional};
use crate::effect::Effect;
use crate::keymap::Action;
use crate::modal::{Modal, Purpose};
use crate::theme::Role;
use crate::trigger::TriggerEffect;
use crate::trigger::{Offer, PARAMETER};
use crate::widget::form::{Field, FieldName, Form};
use crate::words;

/// The form's fields, but for those of the parameters.
const EVENT: FieldName = FieldName("event");
const PATH_FIELD: FieldName = FieldName("path");
const TARGET: FieldName = FieldName("target");

impl App {
    /// Opens the form: what was sent last comes first, then what the selected event says, then
    /// Podio's usual.
    pub(super) fn trigger(&mut self) {
        let selected = self.selected_event().and_then(|event| event.podio.as_ref());
        let offer = Offer::new(selected, &self.last_sent);
        let (names, chosen) = offer.choices();
        let local = self.status.target.as_ref().map(ToString::to_string);
        let local = local.unwrap_or_else(|| "none is configured".to_owned());
        let mut fields = vec![
            Field::choice(EVENT, "Event", names, chosen),
            Field::text(PATH_FIELD, "Path", self.last_sent.path(), PATH),
            Field::text(TARGET, "Local service", self.last_sent.target(), local),
        ];
        fields.extend(offer.fields(&self.last_sent));
        let purpose = Box::new(Purpose::Trigger(offer));
        let form = Form::new("Trigger an event", "send", fields);
        self.modals.push(Modal::Form(form, purpose));
    }

    /// Another type was chosen: its parameters take the place of those before.
    pub(super) fn trigger_chosen(&mut self, field: FieldName) {
        if field != EVENT {
            return;
        }
        if let Some(Modal::Form(form, purpose)) = self.modals.last_mut()
            && let Purpose::Trigger(offer) = purpose.as_mut()
        {
            offer.choose(form.chosen(EVENT), form.pairs(PARAMETER), &self.last_sent);
            form.replace_after(TARGET, offer.fields(&self.last_sent));
        }
    }

    /// The form says what shall be sent. Says what cannot be.
    pub(super) fn trigger_as_filled(
        &mut self,
        form: &Form,
        offer: &Offer,
        effects: &mut Vec<Effect>,
    ) -> Result<(), String> {
        let (path, local, fields) = (
            form.text(PATH_FIELD),
            form.text(TARGET),
            form.pairs(PARAMETER),
        );
        let target = optional(&local, |text| {
            text.parse::<Target>().map_err(|error| error.to_string())
        })?;
        if target.is_none() && self.status.target.is_none() {
            return Err("there is no local service to send it to: name one, such as 3000".into());
        }
        // Podio keeps no order, and no handler should come to rely on one.
        let seed = self.now.as_millisecond().cast_unsigned();
        let mut request = Draft::of_form(offer.params(&fields)?, seed).request;
        request.path = sendable(&path)?;
        self.last_sent.keep(offer.kind(), &path, &local, &fields);
        effects.push(Effect::Trigger(TriggerEffect::Trigger(Box::new(Trigger {
            request,
            target,
        }))));
        // It will be the newest, and is what a person wants to see now.
        self.list.act(Action::Follow, 0);
        Ok(())
    }

    /// A triggered event was answered, or was not.
    pub(super) fn triggered(&mut self, result: Result<Box<Triggered>, String>) {
        let (role, text) = match result {
            Ok(told) => {
                let (role, outcome) = ended(&told.attempt);
                (
                    role,
                    format!("Sent {}: {outcome}", words::short_id(told.event)),
                )
            }
            Err(error) => (Role::Failed, format!("Cannot send it: {error}")),
        };
        self.toasts.show(role, text, self.now);
    }
}

/// A path as HTTP takes it; the usual one where there is none.
fn sendable(text: &str) -> Result<String, String> {
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
