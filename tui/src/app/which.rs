//! Which events something shall be done to: asked by the forms for replay and export.

use podtap_agent::EventId;
use podtap_agent::history::Filter;

use super::App;
use crate::words;

/// Events that a person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// These, oldest first.
    These(Vec<EventId>),
    /// All that pass this filter.
    All(Filter),
}

impl App {
    /// What may be chosen now, each with its words; what is likeliest first.
    pub(super) fn choices(&self) -> Vec<(Which, String)> {
        let mut choices = Vec::new();
        let marked = self.list.marked();
        if !marked.is_empty() {
            let many = u64::try_from(marked.len()).unwrap_or(u64::MAX);
            choices.push((Which::These(marked), words::count(many, "marked event")));
        }
        if let Some(row) = self.list.selected() {
            choices.push(match &row.burst {
                Some(burst) => (
                    Which::All(Filter::between(burst.first, burst.last)),
                    format!(
                        "{} of {}",
                        words::count(burst.events, "event"),
                        words::burst(row)
                    ),
                ),
                None => (Which::These(vec![row.id]), words::event(row)),
            });
        }
        if !choices.is_empty() {
            let all = match (self.list.shows_all(), self.list.total()) {
                (true, Some(total)) => format!("all {}", words::count(total, "event")),
                (true, None) => "all events".to_owned(),
                (false, Some(total)) => {
                    format!("all {} that pass the filter", words::number(total))
                }
                (false, None) => "all that pass the filter".to_owned(),
            };
            choices.push((Which::All(self.list.filter().clone()), all));
        }
        choices
    }
}
