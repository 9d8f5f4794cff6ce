//! Shows and changes the target of deliveries while the agent runs.

mod effect;
#[cfg(test)]
mod tests;

use podtap_agent::Target;

pub(crate) use effect::{TargetAnswer, TargetEffect, run};

use crate::command::UiCommand;
use crate::theme::Role;
use crate::widget::form::{Choice, Fields, Text, fields};
use crate::words;

/// The form for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetForm {
    target: Text,
    held: Choice<bool>,
}

impl TargetForm {
    /// Creates a form with the current target.
    pub(crate) fn new(now: Option<&Target>) -> Self {
        let now = now.map(words::target).unwrap_or_default();
        let hint = "nowhere, only record: or 3000, host:port/path, exec:CMD";
        let held = [
            (true, "deliver them, too".to_owned()),
            (false, "leave them held".to_owned()),
        ];
        Self {
            target: Text::new("Deliver to", &now, hint).with_autofocus(),
            held: Choice::new("Held events", held.into(), 0),
        }
    }

    /// Returns the request that the form describes.
    ///
    /// # Errors
    /// What is wrong in the form, in words.
    pub(crate) fn read(&self) -> Result<TargetEffect, String> {
        let parse = |text: &str| Target::from_setting(text).map_err(|error| error.to_string());
        Ok(TargetEffect::Set {
            target: self.target.parse(parse)?,
            with_held: self.held.chosen_option() == Some(&true),
        })
    }
}

impl Fields for TargetForm {
    fields!(target, held);

    fn title(&self) -> &'static str {
        "Where events are delivered"
    }

    fn verb(&self) -> &'static str {
        "set"
    }
}

/// Returns a notice with the current target.
pub(crate) fn announce(target: Option<&Target>) -> UiCommand<TargetEffect> {
    let text = match target {
        Some(target) => format!("Events are delivered to {}", words::target(target)),
        None => "Events are only recorded".to_owned(),
    };
    UiCommand::notify(Role::Ok, text)
}
