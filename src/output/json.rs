//! JSON output for scripts: one object per line, each with `"v":1` and `"type"`.
//! Within a version, fields are added but never renamed or removed (`docs/JSON.md`).
//! The objects for events and attempts are in [`podtap_agent::export::json`].

use std::borrow::Cow;

pub(crate) use podtap_agent::export::json::line;
use podtap_agent::export::json::{
    OutcomeFields, VERSION, VerifiedObject, duration_ms, millis, text,
};
use podtap_agent::figures::DOCTOR;
use podtap_agent::history::{
    AttemptSummary, HookCondition, HookNews, LoopFinding, LoopShape, Maker, Verification,
};
use podtap_agent::{HookReport, HookState, LinkState, Target};
use podtap_podio::client::CallBudget;
use podtap_wire::EventId;
use serde::Serialize;

pub(crate) use super::ready::{Callable, Ready};

/// One object. [`JsonObject::to_line`] puts the version in front.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum JsonObject<'a> {
    Ready(Ready<'a>),
    Triggered(TriggeredObject<'a>),
    Link(StateObject<'a>),
    Service {
        #[serde(flatten)]
        now: StateObject<'a>,
        target: String,
    },
    Verify {
        id: String,
        hook_id: Option<String>,
        #[serde(flatten)]
        verified: VerifiedObject<'a>,
    },
    Loop(LoopObject<'a>),
    Hook(HookObject<'a>),
    /// The remaining calls of Podio's API.
    RateLimit {
        limit: u64,
        remaining: u64,
        resets_by: String,
        closed_until: Option<String>,
    },
    Import {
        file: &'a str,
        format: &'static str,
        new: u64,
        known: u64,
        skipped: u64,
    },
    /// The tunnel has another public URL than the one in `ready`.
    Url {
        url: &'a str,
    },
}

/// The state of the link or of a service.
#[derive(Debug, Serialize)]
pub(crate) struct StateObject<'a> {
    state: &'static str,
    reason: Option<&'a str>,
    /// What to do if the connection is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

impl<'a> StateObject<'a> {
    const fn new(state: &'static str, reason: Option<&'a str>) -> Self {
        Self {
            state,
            reason,
            hint: if reason.is_some() { Some(DOCTOR) } else { None },
        }
    }
}

/// A hook that exists for as long as the command runs.
#[derive(Debug, Serialize)]
pub(crate) struct HookObject<'a> {
    hook_id: Option<String>,
    status: &'static str,
    state: &'static str,
    event: Option<&'a str>,
    ref_type: Option<&'static str>,
    ref_id: Option<String>,
    error: Option<Cow<'a, str>>,
}

/// A request that `podtap trigger` made up.
#[derive(Debug, Serialize)]
pub(crate) struct TriggeredObject<'a> {
    /// Absent if the event is not in the history.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    event: Option<&'a str>,
    url: &'a str,
    duration_ms: f64,
    #[serde(flatten)]
    outcome: OutcomeFields<'a>,
}

/// The same hook fires for the same object again and again.
#[derive(Debug, Serialize)]
pub(crate) struct LoopObject<'a> {
    /// The event that confirmed the loop.
    id: String,
    hook_id: String,
    event: &'a str,
    object: String,
    times: Vec<String>,
    revisions: &'a [u64],
    consecutive: bool,
    /// The other objects of the loop, if it has several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    circle: Vec<String>,
    /// Whether each event creates another object.
    adds: bool,
    /// Whether our own API client makes the changes; null if unknown.
    own: Option<bool>,
    /// Who makes the changes, or why that is unknown.
    maker: String,
    cure: String,
}

impl JsonObject<'_> {
    /// Returns the object as one line, without the newline at the end.
    pub(crate) fn to_line(&self) -> String {
        // For objects that contain their own `type`.
        #[derive(Serialize)]
        struct VersionedLine<'a> {
            v: u8,
            #[serde(flatten)]
            object: &'a JsonObject<'a>,
        }
        text::to_line(&VersionedLine {
            v: VERSION,
            object: self,
        })
    }
}

impl<'a> JsonObject<'a> {
    pub(crate) fn rate_limit(budget: &CallBudget) -> Self {
        Self::RateLimit {
            limit: budget.limit,
            remaining: budget.remaining,
            resets_by: millis::text(budget.resets_by),
            closed_until: budget.closed_until.map(millis::text),
        }
    }

    pub(crate) fn link(state: &'a LinkState) -> Self {
        let (state, reason) = state.word_and_reason();
        Self::Link(StateObject::new(state, reason))
    }

    /// Returns the state of a link that is not up yet.
    pub(crate) const fn waits(reason: &'a str) -> Self {
        Self::Link(StateObject::new("connecting", Some(reason)))
    }

    /// Returns the object for a local service that cannot be reached, or can be reached again.
    pub(crate) fn service(reason: Option<&'a str>, target: &Target) -> Self {
        let state = if reason.is_some() { "down" } else { "up" };
        Self::Service {
            now: StateObject::new(state, reason),
            target: target.to_string(),
        }
    }

    /// Returns the object for the outcome of a validation of a `hook.verify`.
    pub(crate) fn verify(
        event: EventId,
        hook_id: Option<u64>,
        verification: &'a Verification,
    ) -> Self {
        Self::Verify {
            id: event.to_string(),
            hook_id: hook_id.map(|id| id.to_string()),
            verified: VerifiedObject::new(verification),
        }
    }

    /// Returns the object for a made-up request and its outcome.
    pub(crate) fn from_trigger(
        id: Option<EventId>,
        event: Option<&'a str>,
        url: &'a str,
        sent: &'a AttemptSummary,
    ) -> Self {
        Self::Triggered(TriggeredObject {
            id: id.map(|id| id.to_string()),
            event,
            url,
            duration_ms: duration_ms::number(sent.duration),
            outcome: OutcomeFields::new(
                sent.outcome.as_ref().ok().copied(),
                sent.outcome.as_ref().err().map(String::as_str),
            ),
        })
    }

    /// Returns the object for the new state of a hook.
    pub(crate) fn hook(report: &'a HookReport) -> Self {
        let (state, error) = match &report.state {
            HookState::Waiting => ("waiting", None),
            HookState::Made => ("made", None),
            HookState::Active => ("active", None),
            HookState::Failed { reason } => ("failed", Some(reason.as_str())),
            HookState::Removed => ("removed", None),
        };
        Self::Hook(HookObject {
            hook_id: report.hook_id.map(|id| id.to_string()),
            status: if state == "active" {
                "active"
            } else {
                "inactive"
            },
            state,
            event: Some(report.wanted.event.as_str()),
            ref_type: Some(report.wanted.place.ref_type.as_str()),
            ref_id: Some(report.wanted.place.ref_id.to_string()),
            error: error.map(Cow::Borrowed),
        })
    }

    /// Returns the object for a change of a hook.
    pub(crate) fn hook_news(news: &'a HookNews) -> Self {
        let HookNews {
            hook_id,
            place,
            event_type,
            state,
            ..
        } = news;
        let cure = news
            .cure()
            .map_or_else(String::new, |cure| format!("; {cure}"));
        Self::Hook(HookObject {
            hook_id: Some(hook_id.to_string()),
            status: match state {
                HookCondition::Active
                | HookCondition::Silent { .. }
                | HookCondition::Busy { .. } => "active",
                _ => "inactive",
            },
            state: state.word(),
            event: event_type.as_deref(),
            ref_type: place.as_ref().map(|place| place.at.ref_type.as_str()),
            ref_id: place.as_ref().map(|place| place.at.ref_id.to_string()),
            error: (!state.is_good()).then(|| Cow::Owned(format!("{news}{cure}"))),
        })
    }

    /// Returns the object for a loop.
    pub(crate) fn loop_finding(finding: &'a LoopFinding) -> Self {
        Self::Loop(LoopObject {
            id: finding.event.to_string(),
            hook_id: finding.hook_id.to_string(),
            event: &finding.event_type,
            object: finding.object.to_string(),
            times: finding.times.iter().copied().map(millis::text).collect(),
            revisions: &finding.revisions,
            consecutive: finding.consecutive,
            circle: match &finding.shape {
                LoopShape::Circle(others) => others.iter().map(ToString::to_string).collect(),
                LoopShape::Same | LoopShape::Adds => Vec::new(),
            },
            adds: finding.shape == LoopShape::Adds,
            own: match finding.maker {
                Maker::Unknown { .. } => None,
                Maker::Own { .. } => Some(true),
                Maker::Other { .. } => Some(false),
            },
            maker: finding.maker.to_string(),
            cure: finding.cure(),
        })
    }
}

#[cfg(test)]
mod tests {
    use podtap_agent::routes::Routes;

    use super::*;

    #[test]
    fn every_object_carries_version_and_type() {
        let line = JsonObject::Url { url: "https://x/" }.to_line();
        assert_eq!(line, r#"{"v":1,"type":"url","url":"https://x/"}"#);
        let callable = Callable::new(None);
        let ready = Ready::listen("https://x/", "crm", &Routes::default(), None, callable);
        assert_eq!(
            JsonObject::Ready(ready).to_line(),
            r#"{"v":1,"type":"ready","url":"https://x/","forwards_to":null,"tunnel":"crm","podio_can_call":true}"#
        );
    }
}
