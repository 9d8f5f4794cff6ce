//! Serializes an explanation of an event according to
//! the schema, which has less than the history stores.

use podtap_wire::EventId;
use serde::Serialize;

use super::line;
use crate::explain::{ExplainedField, Explanation};

/// An explanation of an event.
#[derive(Debug, Serialize)]
pub struct ExplanationObject<'a> {
    id: EventId,
    title: Option<&'a str>,
    link: Option<&'a str>,
    app: Option<&'a str>,
    who: Option<&'a str>,
    via: Option<&'a str>,
    when: Option<&'a str>,
    changes: &'a [ExplainedField],
    notes: &'a [String],
}

impl<'a> ExplanationObject<'a> {
    /// Creates the object for the explanation of this event.
    pub fn new(id: EventId, explained: &'a Explanation) -> Self {
        Self {
            id,
            title: explained.title.as_deref(),
            link: explained.link.as_deref(),
            app: explained.app.as_deref(),
            who: explained.who.as_deref(),
            via: explained.via.as_deref(),
            when: explained.when.as_deref(),
            changes: &explained.changes,
            notes: &explained.notes,
        }
    }

    /// Returns the object as one line, without the line's end.
    pub fn to_line(&self) -> String {
        line("explanation", self)
    }
}
