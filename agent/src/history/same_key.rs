//! Computes a key that is equal for events with the same content, from any hook.
//!
//! Podio names neither delivery nor attempt, so only an event's content can be
//! compared (podio.md 1.3: apart from the hook, its type, item and revision,
//! comment, or files). The key is a hash: two different events share one with
//! a chance of one in a billion, and then a list shows a wrong mark.

use podtap_podio::{EventKind, EventType, PodioEvent};

/// Returns the key of an event; `None` if its parameters do not distinguish it from the next event
/// of its type, such as a `task.update`.
pub(super) fn same_key(event: &PodioEvent) -> Option<i64> {
    let EventKind::Known(kind) = event.kind else {
        return None;
    };
    let mut hash = Fnv::new();
    hash.add(kind.as_str());
    for name in telling_parameters(kind)? {
        hash.add(event.param(name)?);
    }
    Some(hash.0.cast_signed())
}

/// Returns the parameters that occur together once in the life of an object; `None` for an event
/// that may happen again with the same parameters.
fn telling_parameters(kind: EventType) -> Option<&'static [&'static str]> {
    use EventType as E;
    Some(match kind {
        E::ItemCreate | E::ItemUpdate | E::ItemDelete => &["item_id", "item_revision_id"],
        E::CommentCreate | E::CommentDelete => &["comment_id"],
        E::FileChange => &["item_id", "action_type", "file_ids"],
        E::AppCreate | E::AppDelete => &["app_id"],
        E::FormCreate | E::FormDelete => &["form_id"],
        E::TaskCreate | E::TaskDelete => &["task_id"],
        E::ContactCreate | E::ContactDelete => &["profile_id"],
        E::StatusCreate | E::StatusDelete => &["status_id"],
        E::HookVerify => &["hook_id", "code"],
        E::AppUpdate
        | E::FormUpdate
        | E::TagAdd
        | E::TagDelete
        | E::TaskUpdate
        | E::MemberAdd
        | E::MemberRemove
        | E::ContactUpdate
        | E::StatusUpdate => return None,
    })
}

/// FNV-1a with 64 bits: the same in every build, because the number is stored in a file.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text and a byte that ends it.
    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(body: &str) -> Option<i64> {
        same_key(&podtap_podio::decode(None, body.as_bytes()).unwrap())
    }

    #[test]
    fn order_and_hook_do_not_matter_and_the_revision_does() {
        let first = key("type=item.update&item_id=4&item_revision_id=7&hook_id=1");
        let again = key("hook_id=2&item_revision_id=7&type=item.update&item_id=4");
        let next = key("type=item.update&item_id=4&item_revision_id=8&hook_id=1");
        assert!(first.is_some());
        assert_eq!(first, again);
        assert_ne!(first, next);
    }

    #[test]
    fn the_number_stays_what_it_is_in_files() {
        assert_eq!(
            key("type=comment.create&comment_id=9&item_id=4"),
            Some(KNOWN)
        );
    }

    const KNOWN: i64 = 2_459_279_032_737_817_293;

    #[test]
    fn what_may_happen_again_is_never_the_same() {
        for body in [
            "type=task.update&task_id=3",
            "type=item.update&item_id=4",
            "type=item.moved&item_id=4&item_revision_id=1",
            "type=tag.add&item_id=4&tag=a",
        ] {
            assert_eq!(key(body), None, "{body}");
        }
    }
}
