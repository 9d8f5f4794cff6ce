//! Notices about hooks for which the user did not ask, each with the keys that help.

use podtap_agent::history::{HookCondition, HookNews};

use crate::keymap::{Action, Keymap};
use crate::theme::Role;

/// Returns what a notice says, and what to do about it.
pub(crate) fn notice(news: &HookNews, keymap: &Keymap) -> (Role, String) {
    let role = if news.state.is_good() {
        Role::Ok
    } else {
        Role::Failed
    };
    let cure = with_keys(news, keymap).or_else(|| news.cure());
    let cure = cure.map_or_else(String::new, |cure| format!("; {cure}"));
    (role, format!("{news}{cure}"))
}

/// Returns what to do by keys. Returns `None` if nothing needs to be done, or an action has no key.
fn with_keys(news: &HookNews, keymap: &Keymap) -> Option<String> {
    let hooks = keymap.key(Action::Hooks)?;
    match news.state {
        HookCondition::Active | HookCondition::Inactive { verifying: true } => None,
        HookCondition::Inactive { verifying: false } | HookCondition::Unverified { .. } => {
            let verify = keymap.key(Action::VerifyHook)?;
            Some(format!(
                "when Podio can reach the relay again, {hooks} {verify} verifies it"
            ))
        }
        HookCondition::Gone => {
            let create = keymap.key(Action::CreateHook)?;
            Some(format!("{hooks} {create} creates it again"))
        }
        HookCondition::Silent { .. } => Some(format!("{hooks} shows whether it is active")),
        HookCondition::Busy { .. } => {
            let filter = keymap.key(Action::Filter)?;
            let hook_id = news.hook_id;
            Some(format!(
                "an import, or a loop: {filter} hook:{hook_id} shows its events"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use podtap_agent::history::HookCondition::{Active, Busy, Gone, Inactive, Silent, Unverified};

    use super::*;

    #[test]
    fn a_notice_says_what_to_do_by_keys() {
        let since = Timestamp::UNIX_EPOCH;
        for (state, cure) in [
            (
                Inactive { verifying: false },
                "when Podio can reach the relay again, h v verifies it",
            ),
            (
                Unverified { tries: 5 },
                "when Podio can reach the relay again, h v verifies it",
            ),
            (Gone, "h c creates it again"),
            (
                Silent {
                    since,
                    usual_ms: 1_000,
                },
                "h shows whether it is active",
            ),
            (
                Busy {
                    events: 90,
                    usual: 3,
                },
                "an import, or a loop: / hook:7 shows its events",
            ),
        ] {
            let news = HookNews {
                hook_id: 7,
                place: None,
                event_type: None,
                at: Timestamp::UNIX_EPOCH,
                state,
            };
            let (role, text) = notice(&news, &Keymap::default());
            assert_eq!((role, text), (Role::Failed, format!("{news}; {cure}")));
            let good = HookNews {
                state: Active,
                ..news
            };
            let (role, text) = notice(&good, &Keymap::default());
            assert_eq!(
                (role, text),
                (Role::Ok, "hook 7 is active again".to_owned())
            );
        }
    }
}
