//! The form for a replay: which events, to which target, and how fast.

use podtap_agent::Target;

use super::ReplayRequest;
use super::start::{ReplayStart, find};
use crate::list::{EventChoice, List, ReplayOptions};
use crate::widget::form::{Choice, Fields, Text, fields};

/// The form for a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplayForm {
    events: Choice<EventChoice>,
    target: Text,
    rate: Text,
}

impl ReplayForm {
    /// Creates the form with the events that the list offers; `None` if it offers none. `local`
    /// is the configured local service.
    pub(crate) fn new(list: &List, local: Option<&Target>) -> Option<Self> {
        let events = list.choices();
        if events.is_empty() {
            return None;
        }
        let local = local.map(ToString::to_string);
        let local = local.unwrap_or_else(|| "where each went first".to_owned());
        Some(Self {
            events: Choice::new("Replay", events, 0),
            target: Text::new("Local service", "", local).with_autofocus(),
            rate: Text::new("Per second", "", "as fast as it answers"),
        })
    }

    /// Returns the start of the replay that the form describes. `is_counted` is whether the form
    /// shows how many events match the filter. If it does not, a person must confirm the number.
    ///
    /// # Errors
    /// Why the form cannot be submitted, in words.
    pub(crate) fn read(&self, is_counted: bool) -> Result<ReplayStart, String> {
        let parse = |text: &str| text.parse::<Target>().map_err(|error| error.to_string());
        let target = self.target.parse(parse)?;
        let rate = self.rate.parse(per_second)?;
        match self.events.chosen_option().cloned() {
            Some(EventChoice::These(events)) => Ok(ReplayStart::SendAll(ReplayRequest {
                events,
                target,
                rate,
            })),
            Some(EventChoice::All(filter)) => {
                let options = ReplayOptions {
                    of: None,
                    asks: !is_counted,
                    target,
                    rate,
                };
                Ok(find(filter, options))
            }
            None => Err("there is nothing to replay".to_owned()),
        }
    }
}

impl Fields for ReplayForm {
    fields!(events, target, rate);

    fn title(&self) -> &'static str {
        "Replay"
    }

    fn verb(&self) -> &'static str {
        "replay"
    }
}

fn per_second(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|rate| (1..=1_000).contains(rate));
    number.ok_or_else(|| format!("{text:?} is not a rate: write a number from 1 to 1000"))
}
