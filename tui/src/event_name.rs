//! Names events in notices and questions.

use podtap_agent::EventId;

use crate::detail::Detail;
use crate::list::List;
use crate::words;

/// Returns the name of an event; its id if it is neither in the list nor open.
pub(crate) fn event_name(id: EventId, list: &List, detail: &Detail) -> String {
    match (list.event(id), detail.opened_event(id)) {
        (Some(row), _) => words::event(row),
        (None, Some(event)) => words::whole_event(event),
        (None, None) => format!("the event {}", words::short_id(id)),
    }
}
