//! The choices of events that the forms for replay and export offer.

use podtap_agent::EventId;
use podtap_agent::history::Filter;

use super::List;
use crate::words;

/// Events that a person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventChoice {
    /// These events, oldest first.
    These(Vec<EventId>),
    /// All events that match this filter.
    All(Filter),
}

impl List {
    /// Returns the choices that are possible now, each with its description, the likeliest first.
    pub(crate) fn choices(&self) -> Vec<(EventChoice, String)> {
        let mut choices = Vec::new();
        let marked = self.marked_events();
        if !marked.is_empty() {
            let many = u64::try_from(marked.len()).unwrap_or(u64::MAX);
            choices.push((
                EventChoice::These(marked),
                words::count(many, "marked event"),
            ));
        }
        if let Some(row) = self.selected_event() {
            choices.push(match &row.burst {
                Some(burst) => (
                    EventChoice::All(Filter::between(burst.first, burst.last)),
                    format!(
                        "{} of {}",
                        words::count(burst.events, "event"),
                        words::burst(row)
                    ),
                ),
                None => (EventChoice::These(vec![row.id]), words::event(row)),
            });
        }
        if self.selected_row().is_some() {
            let all = match (self.shows_all(), self.total()) {
                (true, Some(total)) => format!("all {}", words::count(total, "event")),
                (true, None) => "all events".to_owned(),
                (false, Some(total)) => {
                    format!("all {} that match the filter", words::number(total))
                }
                (false, None) => "all that match the filter".to_owned(),
            };
            choices.push((EventChoice::All(self.filter().clone()), all));
        }
        choices
    }
}
