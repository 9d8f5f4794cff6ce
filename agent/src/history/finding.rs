//! What was found out over several events: loops.

use jiff::Timestamp;
use podtap_podio::{ObjectKind, ObjectRef};
use podtap_wire::EventId;

use super::event::Position;

/// One object fired by one hook again and again, faster than people act: most likely the local
/// service's answer to each event causes the next one. Found once a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopFinding {
    /// What changes again and again.
    pub object: ObjectRef,
    /// The hook that fires.
    pub hook_id: u64,
    /// The event type. Text of the outside world: escape it before showing it.
    pub event_type: String,
    /// The event that made it certain.
    pub event: EventId,
    /// Where that one is.
    pub position: Position,
    /// When the events that prove it were accepted, oldest first.
    pub times: Vec<Timestamp>,
    /// Their revisions, where they have any.
    pub revisions: Vec<u64>,
    /// Whether each revision follows the one before: nothing else changed the item meanwhile.
    pub consecutive: bool,
}

impl LoopFinding {
    /// The cure, in the words of Podio's documentation (podio.md 5.3).
    pub fn cure(&self) -> String {
        let call = match self.object.kind {
            ObjectKind::Item => format!("PUT /item/{}?hook=false", self.object.id),
            _ => "…?hook=false".to_owned(),
        };
        format!(
            "make the change that answers this event with hook=false in the query of the update: \
             {call}. Podio's documentation on `hook`: \"True if hooks should be executed for the \
             change\". In the body it has no effect, and it keeps every hook from firing for that \
             change, other people's too"
        )
    }

    /// From the first event of the evidence to the last.
    pub fn span(&self) -> jiff::SignedDuration {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => last.duration_since(*first),
            _ => jiff::SignedDuration::ZERO,
        }
    }
}
