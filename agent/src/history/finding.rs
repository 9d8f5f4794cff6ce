//! Describes a loop: its objects, who makes the changes, and the cure.

use std::fmt;

use jiff::Timestamp;
use podtap_podio::{EventType, ObjectRef};
use podtap_wire::EventId;
use serde::{Deserialize, Serialize};

use super::position::Position;
use crate::amount;

/// A loop: the local service's answer to each event most
/// likely causes the next event. Reported once per loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopFinding {
    /// The object that changes again and again; in a loop that adds objects, the newest one.
    pub object: ObjectRef,
    /// The hook that fires.
    pub hook_id: u64,
    /// The event type. Untrusted text: escape it before showing it.
    pub event_type: String,
    /// The event that proved the loop.
    pub event: EventId,
    /// The position of that event.
    pub position: Position,
    /// Times at which the events of the proof were accepted, oldest first.
    pub times: Vec<Timestamp>,
    /// Revisions of these events, if they have any.
    pub revisions: Vec<u64>,
    /// Whether each revision follows the one before, so
    /// that nothing else changed the item in between.
    pub consecutive: bool,
    /// The shape of the loop.
    pub shape: LoopShape,
    /// Who makes the changes, according to Podio, for the newest one.
    pub maker: Maker,
}

/// The shape of a loop.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LoopShape {
    /// One object fires its own hook.
    #[default]
    Same,
    /// Several objects fire in turn, each causing the next
    /// one. These are the objects besides the finding's own.
    Circle(Vec<ObjectRef>),
    /// Each event adds an object, and the event of that object adds the next.
    Adds,
}

/// Who makes the changes of a loop, according to Podio, for the newest one. Names are untrusted
/// text: escape them before showing them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// Podio could not be asked.
    Unknown {
        /// The reason, in words.
        reason: String,
    },
    /// The API client or app whose credentials are used here.
    Own {
        /// The user and the API client, such as `Ada through Invoicing`.
        by: String,
    },
    /// A person, or another API client.
    Other {
        /// The user and the API client, such as `Ada through Invoicing`.
        by: String,
    },
}

impl Default for Maker {
    fn default() -> Self {
        Self::Unknown {
            reason: "Podio was not asked".to_owned(),
        }
    }
}

impl fmt::Display for Maker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { reason } => write!(f, "it is unknown who makes the changes: {reason}"),
            Self::Own { by } => write!(f, "made by {by}, your API client"),
            Self::Other { by } => write!(f, "made by {by}, not by your API client"),
        }
    }
}

impl LoopFinding {
    /// Returns whether the local service probably makes the changes. A loop that another client or
    /// a person makes is reported and never held.
    pub fn is_suspected(&self) -> bool {
        !matches!(self.maker, Maker::Other { .. })
    }

    /// Returns every object of the loop, the one found first at the front.
    pub fn objects(&self) -> Vec<ObjectRef> {
        let mut objects = vec![self.object];
        if let LoopShape::Circle(others) = &self.shape {
            objects.extend(others);
        }
        objects
    }

    /// Describes the loop in words: `item 7 and item 8 fire in turn`.
    pub fn words(&self) -> String {
        let names = |objects: &[ObjectRef]| {
            let names: Vec<_> = objects.iter().map(ToString::to_string).collect();
            match names.split_last() {
                Some((last, rest)) if !rest.is_empty() => {
                    format!("{} and {last}", rest.join(", "))
                }
                _ => names.concat(),
            }
        };
        match &self.shape {
            LoopShape::Same => format!("{} fired hook {}", self.object, self.hook_id),
            LoopShape::Circle(_) => format!(
                "{} fire in turn, including hook {}",
                names(&self.objects()),
                self.hook_id
            ),
            LoopShape::Adds => format!(
                "{} of new objects fired hook {}, up to {}",
                self.event_type, self.hook_id, self.object
            ),
        }
    }

    /// Returns the cure, in the words of Podio's documentation (podio.md 5.3).
    pub fn cure(&self) -> String {
        if let Maker::Other { by } = &self.maker {
            return format!(
                "these changes come from {by}: if that is not your service, you do not need to fix \
                 anything"
            );
        }
        let Some((doing, call)) = self.write() else {
            return format!(
                "before the local service makes a change for this event, let it check whether the \
                 change has been made already: Podio documents no `hook` switch for the call that \
                 fires {}",
                self.event_type
            );
        };
        let unless = match self.shape {
            LoopShape::Adds => "unless this is an import, ",
            LoopShape::Same | LoopShape::Circle(_) => "",
        };
        format!(
            "{unless}{doing} with hook=false in the query: {call}. Podio's documentation on \
             `hook`: \"True if hooks should be executed for the change\". It has no effect in the \
             body. It stops all hooks for that change, including those of others"
        )
    }

    /// Returns the write that fires such an event, and the
    /// API call for it; `None` if no such call is known.
    fn write(&self) -> Option<(&'static str, String)> {
        use EventType as E;
        let id = self.object.id;
        let doing = match self.shape {
            LoopShape::Adds => "add what answers this event",
            LoopShape::Same | LoopShape::Circle(_) => "make the change that answers this event",
        };
        let call = match self.event_type.parse().ok()? {
            E::ItemCreate => "POST /item/app/APP_ID/?hook=false".to_owned(),
            E::ItemUpdate => format!("PUT /item/{id}?hook=false"),
            E::ItemDelete => format!("DELETE /item/{id}?hook=false"),
            E::CommentCreate => format!("POST /comment/item/{id}?hook=false"),
            E::CommentDelete => "DELETE /comment/COMMENT_ID?hook=false".to_owned(),
            E::FileChange => {
                return Some((
                    "attach the file that answers this event",
                    "POST /file/FILE_ID/attach?hook=false".to_owned(),
                ));
            }
            E::TaskCreate => "POST /task/?hook=false".to_owned(),
            E::TaskUpdate => format!("PUT /task/{id}?hook=false"),
            E::TaskDelete => format!("DELETE /task/{id}?hook=false"),
            _ => return None,
        };
        Some((doing, call))
    }

    /// Formats how often the hook fired in which time: `14× in 6 s`.
    pub fn pace(&self) -> String {
        format!("{}× in {}", self.times.len(), amount::age(self.span()))
    }

    /// Returns the time from the first event of the proof to the last.
    pub fn span(&self) -> jiff::SignedDuration {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => last.duration_since(*first),
            _ => jiff::SignedDuration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use podtap_podio::ObjectKind;

    use super::*;

    fn finding(event_type: &str, kind: ObjectKind, shape: LoopShape) -> LoopFinding {
        LoopFinding {
            object: ObjectRef { kind, id: 7 },
            hook_id: 5,
            event_type: event_type.to_owned(),
            event: EventId::from_bytes([0; 16]),
            position: Position(1),
            times: Vec::new(),
            revisions: Vec::new(),
            consecutive: false,
            shape,
            maker: Maker::default(),
        }
    }

    #[test]
    fn the_cure_names_the_write_that_fires_the_event() {
        for (event_type, kind, shape, call) in [
            (
                "item.update",
                ObjectKind::Item,
                LoopShape::Same,
                "PUT /item/7?hook=false",
            ),
            (
                "item.create",
                ObjectKind::Item,
                LoopShape::Adds,
                "POST /item/app/APP_ID/?hook=false",
            ),
            (
                "comment.create",
                ObjectKind::Item,
                LoopShape::Same,
                "POST /comment/item/7?hook=false",
            ),
            (
                "file.change",
                ObjectKind::Item,
                LoopShape::Same,
                "POST /file/FILE_ID/attach?hook=false",
            ),
            (
                "task.create",
                ObjectKind::Task,
                LoopShape::Adds,
                "POST /task/?hook=false",
            ),
            (
                "task.update",
                ObjectKind::Task,
                LoopShape::Same,
                "PUT /task/7?hook=false",
            ),
        ] {
            let cure = finding(event_type, kind, shape).cure();
            assert!(cure.contains(call), "{event_type}: {cure}");
        }
        let cure = finding("app.update", ObjectKind::App, LoopShape::Same).cure();
        assert!(!cure.contains("hook=false"), "{cure}");
    }

    #[test]
    fn a_circle_is_told_with_all_its_objects() {
        let other = ObjectRef {
            kind: ObjectKind::Item,
            id: 8,
        };
        let circle = finding(
            "item.update",
            ObjectKind::Item,
            LoopShape::Circle(vec![other]),
        );
        assert!(
            circle.words().starts_with("item 7 and item 8 fire in turn"),
            "{}",
            circle.words()
        );
    }
}
