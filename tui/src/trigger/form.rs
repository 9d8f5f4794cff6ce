//! The form for an event that Podio did not send: its type, its target, and
//! a field for each parameter.

use jiff::Timestamp;
use podtap_agent::draft::{Draft, PATH, Params};
use podtap_agent::{Target, Trigger};
use podtap_podio::{EventType, PodioEvent};

use super::effect::TriggerEffect;
use super::more;
use super::suggestions::{LastSent, MORE, SuggestedType, Suggestions};
use crate::widget::form::{Choice, Fields, FormField, Text};

/// The choice after the types of the catalogue.
const ANOTHER: &str = "another type…";

/// The form for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TriggerForm {
    event: Choice<SuggestedType>,
    path: Text,
    target: Text,
    /// The parameters of the chosen type.
    parameters: Vec<Parameter>,
    /// Parameters that the catalogue does not have.
    more: Text,
    suggestions: Suggestions,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    name: &'static str,
    /// Whether the parameter is left out if its value is empty.
    is_optional: bool,
    value: Text,
}

impl TriggerForm {
    /// Creates the form. Its initial values are those of `last`, otherwise those of the selected
    /// event, otherwise those that Podio usually sends. `local` is the configured local service.
    pub(crate) fn new(
        selected: Option<&PodioEvent>,
        last: &LastSent,
        local: Option<&Target>,
    ) -> Self {
        let suggestions = Suggestions::new(selected, last);
        let shown = suggestions.kind();
        let kinds = EventType::ALL
            .iter()
            .map(|event| (Some(*event), event.to_string()));
        let kinds: Vec<_> = kinds.chain([(None, ANOTHER.to_owned())]).collect();
        let at = kinds.iter().position(|(kind, _)| *kind == shown);
        let local = local.map(ToString::to_string);
        let local = local.unwrap_or_else(|| "none is configured".to_owned());
        Self {
            event: Choice::new("Event", kinds, at.unwrap_or(0)),
            path: Text::new("Path", last.path(), PATH),
            target: Text::new("Local service", last.target(), local),
            parameters: parameters(&suggestions),
            more: more_field(&suggestions),
            suggestions,
        }
    }

    /// Returns the request that the form describes, and stores its values in `last`.
    ///
    /// # Errors
    /// What is wrong in the form, in words.
    pub(crate) fn read(
        &self,
        local: Option<&Target>,
        last: &mut LastSent,
        now: Timestamp,
    ) -> Result<TriggerEffect, String> {
        let parse = |text: &str| text.parse::<Target>().map_err(|error| error.to_string());
        let target = self.target.parse(parse)?;
        if target.is_none() && local.is_none() {
            return Err("there is no local service to send it to: enter one, such as 3000".into());
        }
        // Podio sends parameters in no fixed order, so the order is random
        // here: no program should depend on it.
        let seed = now.as_millisecond().cast_unsigned();
        let mut request = Draft::of_form(self.params()?, seed).request;
        let path = self.path.text();
        request.path = request_path(&path)?;
        let kind = self.suggestions.kind();
        last.keep(kind, &path, &self.target.text(), &self.values());
        Ok(TriggerEffect::Trigger(Box::new(Trigger {
            request,
            target,
        })))
    }

    /// Returns the typed values, with the names of the parameters.
    fn values(&self) -> Params {
        let parameters = self.parameters.iter();
        let values = parameters.map(|it| (it.name.to_owned(), it.value.text()));
        values
            .chain([(MORE.to_owned(), self.more.text())])
            .collect()
    }

    /// Returns the parameters to send: those of the type, then `type` and `hook_id` as Podio
    /// sends them, then the additional ones.
    fn params(&self) -> Result<Params, String> {
        let mut params = Params::new();
        for Parameter {
            name,
            is_optional,
            value,
        } in &self.parameters
        {
            let value = value.text();
            match *name {
                "type" if value.trim().is_empty() => {
                    return Err("the type is missing: enter one, such as item.archive".to_owned());
                }
                "type" => params.push(((*name).to_owned(), value.trim().to_owned())),
                _ if *is_optional && value.is_empty() => {}
                _ => params.push(((*name).to_owned(), value)),
            }
        }
        if let Some(event) = self.suggestions.kind() {
            let own = params.iter().take_while(|(name, _)| name != "hook_id");
            let at = own.count();
            params.insert(at, ("type".to_owned(), event.to_string()));
        }
        params.extend(more::read(&self.more.text())?);
        Ok(params)
    }
}

impl Fields for TriggerForm {
    fn title(&self) -> &'static str {
        "Trigger an event"
    }

    fn verb(&self) -> &'static str {
        "send"
    }

    fn fields(&self) -> Vec<&dyn FormField> {
        let mut fields: Vec<&dyn FormField> = vec![&self.event, &self.path, &self.target];
        let parameters = self.parameters.iter();
        fields.extend(parameters.map(|it| &it.value as &dyn FormField));
        fields.push(&self.more);
        fields
    }

    fn fields_mut(&mut self) -> Vec<&mut dyn FormField> {
        let mut fields: Vec<&mut dyn FormField> =
            vec![&mut self.event, &mut self.path, &mut self.target];
        let parameters = self.parameters.iter_mut();
        fields.extend(parameters.map(|it| &mut it.value as &mut dyn FormField));
        fields.push(&mut self.more);
        fields
    }

    /// Replaces the parameters by the parameters of the chosen type.
    fn follow_choice(&mut self) {
        let kind = self.event.chosen_option().copied().flatten();
        let values = self.values();
        self.suggestions.choose(kind, values);
        self.parameters = parameters(&self.suggestions);
        self.more = more_field(&self.suggestions);
    }
}

fn parameters(suggestions: &Suggestions) -> Vec<Parameter> {
    let parameter = |(name, is_optional)| {
        let placeholder = match (name, is_optional) {
            ("type", _) => "such as item.archive",
            (_, true) => "left out",
            (_, false) => "sent empty",
        };
        Parameter {
            name,
            is_optional,
            value: Text::new(name, &suggestions.value(name), placeholder),
        }
    };
    suggestions.names().map(parameter).collect()
}

fn more_field(suggestions: &Suggestions) -> Text {
    Text::new(MORE, &suggestions.value(MORE), "name=value name=value")
}

/// Returns a path that is valid in HTTP; the default path if the text is empty.
fn request_path(text: &str) -> Result<String, String> {
    let path = match text.trim() {
        "" => PATH,
        path => path,
    };
    if !path.chars().all(|c| c.is_ascii_graphic() && c != '#') {
        return Err(format!(
            "{path:?} is not a path: write spaces as %20, and é as %C3%A9"
        ));
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(format!("{slash}{path}"))
}
