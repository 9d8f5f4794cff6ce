//! The table of all event types that Podio sends, with the parameters of each.
//!
//! Source: podio.md 1.1, which combines Podio's reference page for hooks with an enumeration by
//! the live API of May 2026. Used by the decoder, the sandbox, `podtap trigger` and the terminal
//! UI. A webhook of a type that is not listed is still an event ([`crate::EventKind::Other`]).

use std::fmt;
use std::str::FromStr;

use crate::ref_type::RefType;

/// The meaning of a parameter's text. Every value is sent as text (podio.md 1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParameterKind {
    /// A decimal id of 64 bits; the largest one seen is 3.3e9.
    Id,
    /// The item's own revision number: 0 at creation, then counting up. Not the global revision id.
    Revision,
    /// Free text, or one of a fixed set of words.
    Text,
    /// Ids separated by commas.
    List,
    /// The proof in a `hook.verify`: eight lower-case hex digits in the one official sample.
    Code,
}

/// How certain a fact about Podio is (the marks of podio.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// Podio's own documentation says so.
    Documented,
    /// Client libraries, receivers or captured traffic show it.
    Observed,
    /// Inferred from the names of similar event types.
    Inferred,
}

/// One parameter of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParameterSpec {
    /// The name in the form body.
    pub name: &'static str,
    /// What the value means.
    pub kind: ParameterKind,
    /// Whether the parameter may be missing.
    pub optional: bool,
    /// How certain its name and its presence are.
    pub confidence: Confidence,
}

/// The description of one event type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSpec {
    /// The event type, which has no other entry in the catalogue.
    pub event: EventType,
    /// The objects on which a hook of this type can be created;
    /// empty for `hook.verify`, which every hook receives.
    pub ref_types: &'static [RefType],
    /// The parameters besides `type` and `hook_id`, which every event has.
    pub parameters: &'static [ParameterSpec],
    /// When the event is sent, as the end of a sentence: "an item was created".
    pub summary: &'static str,
}

/// Text that is not an event type of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an event type that Podio is known to send")]
pub struct UnknownEventType(String);

/// Generates [`EventType`] and its accessors from one table, so that they always agree.
macro_rules! catalog {
    ($($variant:ident = $name:literal on $ref_types:ident with $parameters:ident: $summary:literal,)+) => {
        /// The type of a hook event (podio.md 1.1): 13 of apps, 12 of spaces, and `hook.verify`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType {
            $(
                #[doc = concat!("`", $name, "`: ", $summary, ".")]
                $variant,
            )+
        }

        impl EventType {
            /// Every known type, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Returns the value of the parameter `type`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Returns the description of this type.
            pub const fn spec(self) -> &'static EventSpec {
                match self {
                    $(Self::$variant => &EventSpec {
                        event: Self::$variant,
                        ref_types: $ref_types,
                        parameters: $parameters,
                        summary: $summary,
                    },)+
                }
            }
        }
    };
}

catalog! {
    ItemCreate = "item.create" on APP_AND_FIELD with ITEM_CHANGE: "an item was created",
    ItemUpdate = "item.update" on APP_AND_FIELD with ITEM_CHANGE: "an item was changed",
    ItemDelete = "item.delete" on APP_AND_FIELD with ITEM_CHANGE: "an item was deleted",
    CommentCreate = "comment.create" on APP with COMMENT: "a comment was made on an item",
    CommentDelete = "comment.delete" on APP with COMMENT: "a comment on an item was deleted",
    FileChange = "file.change" on APP with FILES: "files of an item were added, replaced or deleted",
    AppUpdate = "app.update" on APP with APP_ID: "an app's template was changed",
    AppDelete = "app.delete" on APP with APP_ID: "an app was deleted",
    FormCreate = "form.create" on APP with FORM: "a web form was created",
    FormUpdate = "form.update" on APP with FORM: "a web form was changed, enabled or disabled",
    FormDelete = "form.delete" on APP with FORM: "a web form was deleted",
    TagAdd = "tag.add" on APP with TAG: "a tag was added to an item",
    TagDelete = "tag.delete" on APP with TAG: "a tag was removed from an item",
    AppCreate = "app.create" on SPACE with APP_ID: "an app was created in the space",
    TaskCreate = "task.create" on SPACE with TASK: "a task was created in the space",
    TaskUpdate = "task.update" on SPACE with TASK: "a task of the space was changed",
    TaskDelete = "task.delete" on SPACE with TASK_GUESSED: "a task of the space was deleted",
    MemberAdd = "member.add" on SPACE with USER: "a person joined the space",
    MemberRemove = "member.remove" on SPACE with USER: "a person left the space",
    ContactCreate = "contact.create" on SPACE with PROFILE: "a contact of the space was created",
    ContactUpdate = "contact.update" on SPACE with PROFILE: "a contact of the space was changed",
    ContactDelete = "contact.delete" on SPACE with PROFILE: "a contact of the space was deleted",
    StatusCreate = "status.create" on SPACE with STATUS: "a status was posted in the space",
    StatusUpdate = "status.update" on SPACE with STATUS: "a status of the space was changed",
    StatusDelete = "status.delete" on SPACE with STATUS: "a status of the space was deleted",
    HookVerify = "hook.verify" on NONE with VERIFY: "Podio asks the receiver to confirm the hook",
}

impl EventType {
    /// Returns the types for which Podio accepts a hook on `ref_type`.
    ///
    /// `item.create` and `item.delete` on a field are documented, but the live API refused them
    /// in 2026. `task.delete` is in client libraries but not in the live list (podio.md 1.1).
    pub fn on(ref_type: RefType) -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(move |event| event.spec().ref_types.contains(&ref_type))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EventType {
    type Err = UnknownEventType;

    fn from_str(text: &str) -> Result<Self, UnknownEventType> {
        Self::ALL
            .iter()
            .find(|event| event.as_str() == text)
            .copied()
            .ok_or_else(|| UnknownEventType(text.to_owned()))
    }
}

const NONE: &[RefType] = &[];
const APP: &[RefType] = &[RefType::App];
const APP_AND_FIELD: &[RefType] = &[RefType::App, RefType::AppField];
const SPACE: &[RefType] = &[RefType::Space];

const ITEM_ID: ParameterSpec = documented_parameter("item_id", ParameterKind::Id);
const ITEM_CHANGE: &[ParameterSpec] = &[
    ITEM_ID,
    documented_parameter("item_revision_id", ParameterKind::Revision),
    optional(documented_parameter("external_id", ParameterKind::Text)),
];
const COMMENT: &[ParameterSpec] = &[
    ITEM_ID,
    documented_parameter("comment_id", ParameterKind::Id),
];
const FILES: &[ParameterSpec] = &[
    ITEM_ID,
    optional(documented_parameter("action_type", ParameterKind::Text)),
    optional(documented_parameter("file_ids", ParameterKind::List)),
];
const APP_ID: &[ParameterSpec] = &[documented_parameter("app_id", ParameterKind::Id)];
const FORM: &[ParameterSpec] = &[
    documented_parameter("form_id", ParameterKind::Id),
    documented_parameter("app_id", ParameterKind::Id),
];
const TAG: &[ParameterSpec] = &[
    inferred_parameter("item_id", ParameterKind::Id),
    optional(inferred_parameter("tag", ParameterKind::Text)),
];
const TASK: &[ParameterSpec] = &[ParameterSpec {
    name: "task_id",
    kind: ParameterKind::Id,
    optional: false,
    confidence: Confidence::Observed,
}];
const TASK_GUESSED: &[ParameterSpec] = &[inferred_parameter("task_id", ParameterKind::Id)];
const USER: &[ParameterSpec] = &[inferred_parameter("user_id", ParameterKind::Id)];
const PROFILE: &[ParameterSpec] = &[inferred_parameter("profile_id", ParameterKind::Id)];
const STATUS: &[ParameterSpec] = &[inferred_parameter("status_id", ParameterKind::Id)];
const VERIFY: &[ParameterSpec] = &[documented_parameter("code", ParameterKind::Code)];

const fn documented_parameter(name: &'static str, kind: ParameterKind) -> ParameterSpec {
    ParameterSpec {
        name,
        kind,
        optional: false,
        confidence: Confidence::Documented,
    }
}

/// Returns a parameter of an event whose parameters are not documented.
const fn inferred_parameter(name: &'static str, kind: ParameterKind) -> ParameterSpec {
    ParameterSpec {
        name,
        kind,
        optional: false,
        confidence: Confidence::Inferred,
    }
}

const fn optional(parameter: ParameterSpec) -> ParameterSpec {
    ParameterSpec {
        optional: true,
        ..parameter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_parses_back_from_its_name_and_describes_itself() {
        for &event in EventType::ALL {
            assert_eq!(event.as_str().parse(), Ok(event));
            assert_eq!(event.spec().event, event);
        }
    }

    #[test]
    fn the_catalogue_holds_what_podio_lists() {
        assert_eq!(EventType::on(RefType::App).count(), 13);
        assert_eq!(EventType::on(RefType::AppField).count(), 3);
        assert_eq!(EventType::on(RefType::Space).count(), 12);
        assert_eq!(EventType::ALL.len(), 26);
    }

    #[test]
    fn an_unknown_name_is_told_by_name() {
        let error = "item.moved".parse::<EventType>().unwrap_err();
        assert!(error.to_string().contains("item.moved"));
    }
}
