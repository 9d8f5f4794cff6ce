//! Realistic parameters for every event type: the default
//! of `podtap trigger`, also used by tests and the demo.

use crate::catalog::EventType;

/// Returns the parameters of a typical event, with `type`
/// and `hook_id` last as in the bodies of podio.md 6.
///
/// Ids are in the ranges seen in 2026. The parameters of `tag.*`, `task.delete`, `member.*`,
/// `contact.*` and `status.*` are guessed: their [`crate::ParameterSpec::confidence`] says so.
/// Podio's order is not stable; the sender shuffles them.
pub fn sample(event: EventType) -> Vec<(String, String)> {
    own_parameters(event)
        .iter()
        .copied()
        .chain([("type", event.as_str()), ("hook_id", hook_id(event))])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Returns the id of a hook. A hook has one event type, so each group of types has another id.
const fn hook_id(event: EventType) -> &'static str {
    match event {
        EventType::ItemCreate | EventType::HookVerify => "24360216",
        EventType::ItemUpdate => "24360217",
        EventType::ItemDelete => "24360218",
        EventType::CommentCreate => "24360219",
        EventType::CommentDelete => "24360220",
        EventType::FileChange => "24360221",
        EventType::AppUpdate | EventType::AppDelete => "24360222",
        EventType::FormCreate | EventType::FormUpdate | EventType::FormDelete => "24360223",
        EventType::TagAdd | EventType::TagDelete => "24360224",
        EventType::AppCreate => "24360230",
        EventType::TaskCreate | EventType::TaskUpdate | EventType::TaskDelete => "24360231",
        EventType::MemberAdd | EventType::MemberRemove => "24360232",
        EventType::ContactCreate | EventType::ContactUpdate | EventType::ContactDelete => {
            "24360233"
        }
        EventType::StatusCreate | EventType::StatusUpdate | EventType::StatusDelete => "24360234",
    }
}

const fn own_parameters(event: EventType) -> &'static [(&'static str, &'static str)] {
    match event {
        EventType::ItemCreate => &[
            ("item_id", "3276908608"),
            ("item_revision_id", "0"),
            ("external_id", "order-10042"),
        ],
        EventType::ItemUpdate => &[("item_id", "3276908608"), ("item_revision_id", "7")],
        EventType::ItemDelete => &[("item_id", "3276908608"), ("item_revision_id", "9")],
        EventType::CommentCreate | EventType::CommentDelete => {
            &[("item_id", "3276908608"), ("comment_id", "1489203375")]
        }
        EventType::FileChange => &[
            ("item_id", "3276908608"),
            ("action_type", "file_created"),
            ("file_ids", "2190554321,2190554322"),
        ],
        EventType::AppUpdate | EventType::AppDelete => &[("app_id", "30682880")],
        EventType::AppCreate => &[("app_id", "30682990")],
        EventType::FormCreate | EventType::FormUpdate | EventType::FormDelete => {
            &[("form_id", "2201457"), ("app_id", "30682880")]
        }
        EventType::TagAdd | EventType::TagDelete => &[("item_id", "3276908608"), ("tag", "urgent")],
        EventType::TaskCreate | EventType::TaskUpdate | EventType::TaskDelete => {
            &[("task_id", "231889027")]
        }
        EventType::MemberAdd | EventType::MemberRemove => &[("user_id", "8123456")],
        EventType::ContactCreate | EventType::ContactUpdate | EventType::ContactDelete => {
            &[("profile_id", "301845977")]
        }
        EventType::StatusCreate | EventType::StatusUpdate | EventType::StatusDelete => {
            &[("status_id", "20781146")]
        }
        EventType::HookVerify => &[("code", "b9079247")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventKind, PodioEvent};

    #[test]
    fn every_sample_carries_what_the_catalogue_requires_and_nothing_else() {
        for &event in EventType::ALL {
            let sample = PodioEvent::from_params(sample(event)).unwrap();

            assert_eq!(sample.kind, EventKind::Known(event));
            assert!(sample.hook_id.is_some());
            for parameter in event.spec().parameters {
                let given = sample.param(parameter.name).is_some();
                assert!(given || parameter.optional, "{event}: {}", parameter.name);
            }
            for (name, _) in own_parameters(event) {
                let known = event.spec().parameters.iter().any(|p| p.name == *name);
                assert!(known, "{event}: {name}");
            }
        }
    }

    #[test]
    fn every_sample_but_verify_names_an_object() {
        for &event in EventType::ALL {
            let object = PodioEvent::from_params(sample(event)).unwrap().object();
            assert_eq!(object.is_none(), event == EventType::HookVerify, "{event}");
        }
    }
}
