//! Describes an event in environment variables for a command, in addition to the body on its stdin.

use podtap_podio::PodioEvent;

use crate::delivery::exchange::Dispatch;
use crate::history::decode;

/// Maximum length of a value in bytes. A system does not start a program with much longer values,
/// and the sender of an event chooses some of them.
const MAX_VALUE: usize = 16 * 1024;

/// Parameters of Podio's events that are also variables: `item_id` is `PODTAP_ITEM_ID`.
const PARAMETERS: [(&str, &str); 16] = [
    ("PODTAP_HOOK_ID", "hook_id"),
    ("PODTAP_ITEM_ID", "item_id"),
    ("PODTAP_ITEM_REVISION_ID", "item_revision_id"),
    ("PODTAP_EXTERNAL_ID", "external_id"),
    ("PODTAP_TASK_ID", "task_id"),
    ("PODTAP_COMMENT_ID", "comment_id"),
    ("PODTAP_FILE_IDS", "file_ids"),
    ("PODTAP_ACTION_TYPE", "action_type"),
    ("PODTAP_TAG", "tag"),
    ("PODTAP_APP_ID", "app_id"),
    ("PODTAP_FORM_ID", "form_id"),
    ("PODTAP_SPACE_ID", "space_id"),
    ("PODTAP_USER_ID", "user_id"),
    ("PODTAP_PROFILE_ID", "profile_id"),
    ("PODTAP_STATUS_ID", "status_id"),
    ("PODTAP_CODE", "code"),
];

/// The variables for every request.
const OTHERS: [&str; 7] = [
    "PODTAP_EVENT_ID",
    "PODTAP_EVENT_TYPE",
    "PODTAP_ATTEMPT",
    "PODTAP_REPLAY",
    "PODTAP_METHOD",
    "PODTAP_PATH",
    "PODTAP_CONTENT_TYPE",
];

/// Returns every variable that a command may get.
pub fn command_variables() -> impl Iterator<Item = &'static str> {
    OTHERS
        .into_iter()
        .chain(PARAMETERS.iter().map(|(name, _)| *name))
}

/// Returns each variable with its value; `None` if the
/// event has none, or if a variable cannot hold the value.
pub(super) fn of<'a>(
    dispatch: &'a Dispatch<'a>,
) -> impl Iterator<Item = (&'static str, Option<String>)> {
    let podio = decode(dispatch.headers, dispatch.body);
    let podio = podio.as_ref();
    let content_type = dispatch.headers.get("content-type");
    let marks = &dispatch.marks;
    let others = [
        Some(marks.event.to_string()),
        podio.map(|podio| podio.kind.as_str().to_owned()),
        Some(marks.attempt.to_string()),
        Some(u8::from(marks.replay).to_string()),
        Some(dispatch.method.to_owned()),
        Some(dispatch.path.to_owned()),
        content_type.and_then(|value| String::from_utf8(value.to_vec()).ok()),
    ];
    let parameter = |name| podio.and_then(|podio: &PodioEvent| podio.param(name));
    let parameters: Vec<_> = PARAMETERS
        .iter()
        .map(|(variable, name)| (*variable, parameter(name).map(str::to_owned)))
        .collect();
    let all = OTHERS.into_iter().zip(others).chain(parameters);
    let can_be = |value: &String| value.len() <= MAX_VALUE && !value.contains('\0');
    all.map(move |(name, value)| (name, value.filter(can_be)))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use bytes::Bytes;
    use podtap_podio::EventType;
    use podtap_wire::{EventId, HeaderList};

    use super::*;
    use crate::delivery::headers::{AttemptMarks, SenderOrigin};
    use crate::target::Target;

    fn variables(body: &str, path: &str) -> BTreeMap<&'static str, Option<String>> {
        let (target, headers) = (Target::default(), HeaderList::default());
        let body = Bytes::copy_from_slice(body.as_bytes());
        let dispatch = Dispatch {
            target: &target,
            method: "POST",
            path,
            headers: &headers,
            body: &body,
            origin: SenderOrigin {
                peer: None,
                scheme: "https",
            },
            marks: AttemptMarks {
                event: EventId::from_parts(jiff::Timestamp::UNIX_EPOCH, 7),
                attempt: 2,
                replay: true,
            },
        };
        of(&dispatch).collect()
    }

    #[test]
    fn an_event_is_told_by_its_parameters_and_what_it_lacks_is_unset() {
        let set = variables(
            "type=item.update&item_id=5&item_revision_id=3&hook_id=9",
            "/h",
        );
        let value = |name| set[name].as_deref();
        assert_eq!(value("PODTAP_EVENT_TYPE"), Some("item.update"));
        assert_eq!(value("PODTAP_ITEM_ID"), Some("5"));
        assert_eq!(value("PODTAP_ITEM_REVISION_ID"), Some("3"));
        assert_eq!(value("PODTAP_HOOK_ID"), Some("9"));
        assert_eq!(value("PODTAP_ATTEMPT"), Some("2"));
        assert_eq!(value("PODTAP_REPLAY"), Some("1"));
        assert_eq!(value("PODTAP_PATH"), Some("/h"));
        assert_eq!(value("PODTAP_TASK_ID"), None);
        assert_eq!(variables("no event", "/")["PODTAP_EVENT_TYPE"], None);
    }

    #[test]
    fn a_value_that_no_program_can_be_started_with_is_left_out() {
        let set = variables(
            "type=item.create%00&item_id=1%002&tag=a%0Ab",
            &"/x".repeat(9_000),
        );
        for name in ["PODTAP_EVENT_TYPE", "PODTAP_ITEM_ID", "PODTAP_PATH"] {
            assert_eq!(set[name], None, "{name}");
        }
        assert_eq!(set["PODTAP_TAG"].as_deref(), Some("a\nb"));
    }

    #[test]
    fn every_parameter_of_the_catalogue_has_a_variable() {
        let known: BTreeSet<&str> = PARAMETERS.iter().map(|(_, name)| *name).collect();
        for event in EventType::ALL {
            for parameter in event.spec().parameters {
                assert!(known.contains(parameter.name), "{}", parameter.name);
            }
        }
    }
}
