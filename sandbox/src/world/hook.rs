//! Creates, verifies and fires hooks, and disables them depending on the answers (podio.md
//! 1 and 2).

use jiff::Timestamp;
use podtap_podio::standing::{Judgement, Rule, Standing};
use podtap_podio::{EventType, RefType};
use serde::{Deserialize, Serialize};

use super::as_text;
use super::people::hex;
use super::{RevisionAuthor, World, next};
use crate::answer::ErrorAnswer;

/// Maximum number of hooks of one type on one object (podio.md 1.4).
const MAX_OF_A_TYPE: usize = 10;

/// Maximum number of valid codes per hook. Whether a new request ends older codes is
/// unknown for Podio; here they stay valid until one is used.
const MAX_CODES: usize = 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredHook {
    pub(crate) id: u64,
    #[serde(with = "as_text")]
    pub(crate) ref_type: RefType,
    pub(crate) ref_id: u64,
    #[serde(with = "as_text")]
    pub(crate) event: EventType,
    pub(crate) url: String,
    pub(crate) active: bool,
    /// Record of answers, which is not saved between runs.
    #[serde(skip, default = "new_standing")]
    pub(crate) standing: Standing,
    pub(crate) created_on: Timestamp,
    pub(crate) author: RevisionAuthor,
    codes: Vec<String>,
}

fn new_standing() -> Standing {
    Standing::new(Rule::CURRENT)
}

/// Content of a new hook. Its type is checked and its URL is well-formed.
#[derive(Debug)]
pub(crate) struct NewHook {
    pub(crate) ref_type: RefType,
    pub(crate) ref_id: u64,
    pub(crate) event: EventType,
    pub(crate) url: String,
}

/// A webhook to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SandboxWebhook {
    pub(crate) hook_id: u64,
    pub(crate) event: EventType,
    /// URL as registered, including the query.
    pub(crate) url: String,
    /// Podio's own parameters, in the order of its documentation.
    pub(crate) params: Vec<(String, String)>,
}

/// Place of an event. The hooks of these objects fire.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventPlace {
    pub(crate) app: Option<u64>,
    /// Fields that the event changed.
    pub(crate) fields: Vec<u64>,
    pub(crate) space: Option<u64>,
}

impl StoredHook {
    fn delivers(&self, now: Timestamp) -> bool {
        self.active && self.standing.judge(now) == Judgement::Active
    }
}

impl EventPlace {
    pub(crate) fn app(app_id: u64) -> Self {
        Self {
            app: Some(app_id),
            ..Self::default()
        }
    }

    pub(crate) fn space(space_id: u64) -> Self {
        Self {
            space: Some(space_id),
            ..Self::default()
        }
    }

    fn is_watched_by(&self, hook: &StoredHook) -> bool {
        match hook.ref_type {
            RefType::App => self.app == Some(hook.ref_id),
            RefType::AppField => self.fields.contains(&hook.ref_id),
            RefType::Space => self.space == Some(hook.ref_id),
        }
    }
}

impl World {
    /// Creates an inactive hook and sends it its first `hook.verify`.
    pub(crate) fn create_hook(
        &mut self,
        new: NewHook,
        author: &RevisionAuthor,
    ) -> Result<u64, ErrorAnswer> {
        let alike = |hook: &&StoredHook| {
            (hook.ref_type, hook.ref_id, hook.event) == (new.ref_type, new.ref_id, new.event)
        };
        if self.hooks.values().filter(alike).count() >= MAX_OF_A_TYPE {
            return Err(ErrorAnswer::invalid(format!(
                "At most {MAX_OF_A_TYPE} hooks of type {} are allowed for this object",
                new.event
            )));
        }
        let hook_id = next(&mut self.ids.hook);
        let hook = StoredHook {
            id: hook_id,
            ref_type: new.ref_type,
            ref_id: new.ref_id,
            event: new.event,
            url: new.url,
            active: false,
            standing: Standing::new(self.config.rule),
            created_on: self.now,
            author: author.clone(),
            codes: Vec::new(),
        };
        self.hooks.insert(hook_id, hook);
        self.request_verification(hook_id)?;
        Ok(hook_id)
    }

    /// Sends another `hook.verify` to a hook.
    pub(crate) fn request_verification(&mut self, hook_id: u64) -> Result<(), ErrorAnswer> {
        let code = hex(&mut self.rng, 8);
        let hook = self
            .hooks
            .get_mut(&hook_id)
            .ok_or_else(ErrorAnswer::not_found)?;
        if hook.codes.len() >= MAX_CODES {
            hook.codes.remove(0);
        }
        hook.codes.push(code.clone());
        self.outbox.push(SandboxWebhook {
            hook_id,
            event: EventType::HookVerify,
            url: hook.url.clone(),
            params: vec![
                ("hook_id".to_owned(), hook_id.to_string()),
                ("code".to_owned(), code),
                ("type".to_owned(), EventType::HookVerify.to_string()),
            ],
        });
        Ok(())
    }

    /// Activates a hook. An unknown hook and a wrong code get the same answer, as at Podio. A code
    /// of an active hook is accepted again, so that a second validation does no harm (guessed).
    pub(crate) fn validate_hook(&mut self, hook_id: u64, code: &str) -> Result<(), ErrorAnswer> {
        let hook = self.hooks.get_mut(&hook_id);
        let hook = hook
            .filter(|hook| hook.codes.iter().any(|good| good == code))
            .ok_or_else(|| ErrorAnswer::invalid("Invalid verification code"))?;
        hook.active = true;
        hook.standing.record_verification();
        Ok(())
    }

    /// Queues an event for every active hook that watches its place. Events of a suspended hook
    /// are dropped; whether Podio keeps them is unknown.
    pub(crate) fn emit(&mut self, event: EventType, place: &EventPlace, params: &[(&str, String)]) {
        let now = self.now;
        let listening = self
            .hooks
            .values()
            .filter(|hook| hook.event == event && place.is_watched_by(hook) && hook.delivers(now));
        self.outbox.extend(listening.map(|hook| {
            let own = params.iter().cloned().chain([
                ("type", event.to_string()),
                ("hook_id", hook.id.to_string()),
            ]);
            SandboxWebhook {
                hook_id: hook.id,
                event,
                url: hook.url.clone(),
                params: own.map(|(name, value)| (name.to_owned(), value)).collect(),
            }
        }));
    }

    /// Records the outcome of a call of a hook. Failed verifications are not counted (guessed).
    pub(crate) fn record_outcome(&mut self, hook_id: u64, succeeded: bool, now: Timestamp) {
        let Some(hook) = self.hooks.get_mut(&hook_id).filter(|hook| hook.active) else {
            return;
        };
        if succeeded {
            hook.standing.record_success();
        } else {
            hook.standing.record_failure(now);
        }
        if hook.standing.judge(now) == Judgement::Disabled {
            hook.active = false;
        }
    }

    /// Returns whether Podio would call the hook now.
    pub(crate) fn delivers(&self, hook_id: u64) -> bool {
        let hook = self.hooks.get(&hook_id);
        hook.is_some_and(|hook| hook.delivers(self.now))
    }

    /// Returns whether the list of hooks shows the hook as active.
    pub(crate) fn shows_active(&self, hook: &StoredHook) -> bool {
        let suspended = matches!(hook.standing.judge(self.now), Judgement::Suspended { .. });
        hook.active && !(suspended && self.config.suspended_shows_inactive)
    }
}
