//! Explains why no events arrive, along the path of a webhook: is there a hook, is it active, can
//! Podio reach the relay, is the agent connected to the relay, is the local service up? Pure: the
//! facts are passed in, and no call is made.

use jiff::Timestamp;
use podtap_podio::client::HookStatus;
use podtap_podio::hook_url::Uncallable;

use crate::hooks::{HookReport, HookState};
use crate::status::{LinkState, ServiceState, Status};

/// The hint for a link that does not hold, or an attempt without an answer.
pub const DOCTOR: &str = "`podtap doctor` finds out why";

/// The path of a webhook, from Podio to the local service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietChain {
    /// One link for each [`QuietStep`], in this order.
    pub links: Vec<ChainLink>,
}

impl QuietChain {
    /// Returns the first link that is known to be broken.
    pub fn break_at(&self) -> Option<&ChainLink> {
        self.links.iter().find(|link| link.holds == Holds::No)
    }
}

/// One link of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainLink {
    pub step: QuietStep,
    /// Whether the link holds.
    pub holds: Holds,
    /// How this is known, or why it is not. May contain Podio's words: escape it before showing it.
    pub reason: String,
    /// What to do; `None` if nothing needs to be done.
    pub cure: Option<String>,
}

/// A link of the path, from Podio to the local service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuietStep {
    /// A hook leads to this tunnel.
    HookExists,
    /// Podio calls the hook.
    HookActive,
    /// Podio can reach the relay.
    RelayReachable,
    /// The agent is connected to the relay.
    LinkUp,
    /// The local service answers.
    ServiceUp,
}

impl QuietStep {
    /// Returns the label for a screen.
    pub const fn label(self) -> &'static str {
        match self {
            Self::HookExists => "a hook leads here",
            Self::HookActive => "the hook is active",
            Self::RelayReachable => "Podio can reach the relay",
            Self::LinkUp => "the relay is connected",
            Self::ServiceUp => "the local service is up",
        }
    }
}

/// Whether a link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Yes,
    No,
    /// Not known.
    Unknown,
}

/// The facts that are known without a call.
#[derive(Debug)]
pub(crate) struct QuietFacts<'a> {
    pub(crate) status: &'a Status,
    /// The hooks that this agent creates.
    pub(crate) made: &'a [HookReport],
    /// Hooks of the known places that lead to this tunnel; `None` before the first listing.
    pub(crate) listed: Option<&'a [(u64, HookStatus)]>,
    /// The newest event that came through the relay, with its hook.
    pub(crate) newest: Option<(Option<u64>, Timestamp)>,
    /// Why Podio cannot call the tunnel's URL.
    pub(crate) uncallable: Option<Uncallable>,
    /// Whether Podio can be asked at all.
    pub(crate) has_credentials: bool,
}

/// Returns the current state of the path.
pub(crate) fn chain(known: &QuietFacts<'_>) -> QuietChain {
    QuietChain {
        links: vec![
            known.hook_exists(),
            known.hook_active(),
            known.relay_reachable(),
            known.link_up(),
            known.service_up(),
        ],
    }
}

/// The state, reason and cure of one link.
struct StepText(Holds, String, Option<String>);

impl StepText {
    fn yes(reason: impl Into<String>) -> Self {
        Self(Holds::Yes, reason.into(), None)
    }

    fn no(reason: impl Into<String>, cure: impl Into<String>) -> Self {
        Self(Holds::No, reason.into(), Some(cure.into()))
    }

    fn unknown_because(reason: impl Into<String>, cure: Option<&str>) -> Self {
        Self(Holds::Unknown, reason.into(), cure.map(str::to_owned))
    }

    fn at(self, step: QuietStep) -> ChainLink {
        let Self(holds, reason, cure) = self;
        ChainLink {
            step,
            holds,
            reason,
            cure,
        }
    }
}

const MAKE_ONE: &str = "create one: podtap hooks create EVENT --app ID, or enter the public URL on \
     the app's Developer page in Podio";

impl QuietFacts<'_> {
    fn hook_exists(&self) -> ChainLink {
        let finding = match (self.listed, self.newest) {
            (Some(hooks), _) if !hooks.is_empty() => StepText::yes(format!(
                "Podio has {} for this tunnel",
                hooks_in_words(hooks.len())
            )),
            _ if self.is_any_made() => StepText::yes("this agent created it"),
            (None, Some((Some(hook_id), at))) => {
                StepText::yes(format!("hook {hook_id} sent an event at {}", minute(at)))
            }
            (Some(_), Some((Some(hook_id), at))) => StepText::unknown_because(
                format!(
                    "hook {hook_id} sent an event at {}, but belongs to no known app",
                    minute(at)
                ),
                Some("add its app: --app ID"),
            ),
            (Some(_), _) => match self.failure() {
                Some(failure) => StepText::no(failure, MAKE_ONE),
                None => StepText::no("no hook of the known apps leads to this tunnel", MAKE_ONE),
            },
            (None, _) => match self.failure() {
                Some(failure) => StepText::no(failure, "see the reason, or create one in Podio"),
                None if self.has_credentials => StepText::unknown_because(
                    "Podio has not been asked yet",
                    Some("add the app: --app ID"),
                ),
                None => StepText::unknown_because(
                    "Podio cannot be asked: no credentials are set",
                    Some("set Podio credentials (podtap login), or check the app's Developer page"),
                ),
            },
        };
        finding.at(QuietStep::HookExists)
    }

    fn hook_active(&self) -> ChainLink {
        let is = |status| {
            let hooks = self.listed.unwrap_or_default().iter();
            hooks.filter(move |(_, theirs)| *theirs == status)
        };
        let active = self
            .made
            .iter()
            .find(|made| made.state == HookState::Active);
        let finding = if is(HookStatus::Active).next().is_some() || active.is_some() {
            match is(HookStatus::Inactive).next() {
                Some((hook_id, _)) => StepText::no(
                    format!("hook {hook_id} is inactive, though others are active"),
                    verify_again(*hook_id),
                ),
                None => StepText::yes("Podio says so"),
            }
        } else if let Some((hook_id, _)) = is(HookStatus::Inactive).next() {
            StepText::no(
                format!("hook {hook_id} is inactive: Podio sends nothing until it is verified"),
                verify_again(*hook_id),
            )
        } else if let Some((Some(hook_id), at)) = self.newest {
            let at = minute(at);
            StepText::unknown_because(format!("hook {hook_id} last sent an event at {at}"), None)
        } else {
            StepText::unknown_because("no hook is known", None)
        };
        finding.at(QuietStep::HookActive)
    }

    fn relay_reachable(&self) -> ChainLink {
        let finding = match (&self.status.link, &self.uncallable) {
            (LinkState::Off, _) => {
                StepText::unknown_because("no agent runs here", Some("start podtap listen"))
            }
            (_, Some(why)) => StepText::no(why.to_string(), why.cure()),
            (LinkState::Up { .. }, None) => match self.newest {
                Some((_, at)) => {
                    StepText::yes(format!("the newest webhook arrived at {}", minute(at)))
                }
                None => StepText::unknown_because(
                    "this machine can reach the relay; no webhook has come from Podio yet",
                    Some("send one through it: podtap trigger item.create --through-relay"),
                ),
            },
            (_, None) => StepText::unknown_because("this machine cannot reach the relay", None),
        };
        finding.at(QuietStep::RelayReachable)
    }

    fn link_up(&self) -> ChainLink {
        let finding = match &self.status.link {
            LinkState::Up { since } => StepText::yes(format!("since {}", minute(*since))),
            LinkState::Off => StepText::no("no agent runs here", "start podtap listen"),
            LinkState::Connecting { reason: None, .. } => {
                StepText::unknown_because("the agent is connecting", None)
            }
            LinkState::Connecting {
                reason: Some(reason),
                ..
            } => StepText::no(
                reason.clone(),
                "wait for the next attempt, or check that the relay runs and that its URL is right",
            ),
            LinkState::Stopped { reason } => {
                StepText::no(reason.clone(), "solve that, then start podtap listen again")
            }
        };
        finding.at(QuietStep::LinkUp)
    }

    fn service_up(&self) -> ChainLink {
        let finding = match (&self.status.target, &self.status.service) {
            (None, _) => StepText::unknown_because(
                "no local service is set: events are recorded and held",
                Some("add its port: podtap listen PORT"),
            ),
            (_, ServiceState::Up { since }) => {
                StepText::yes(format!("it answered at {}", minute(*since)))
            }
            (Some(target), ServiceState::Down { reason, .. }) => StepText::no(
                // With several targets, the reason names the target.
                match self.status.targets.len() {
                    0 | 1 => format!("{target}: {reason}"),
                    _ => reason.clone(),
                },
                "start the local service; queued events are then delivered",
            ),
            (Some(_), ServiceState::Unknown) => StepText::unknown_because(
                "nothing was delivered to it yet",
                Some("send it an event: podtap trigger item.create"),
            ),
        };
        finding.at(QuietStep::ServiceUp)
    }

    fn is_any_made(&self) -> bool {
        let is_there =
            |made: &HookReport| matches!(made.state, HookState::Made | HookState::Active);
        self.made.iter().any(is_there)
    }

    fn failure(&self) -> Option<String> {
        self.made.iter().find_map(HookReport::failure)
    }
}

/// Formats a time to the minute.
fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn hooks_in_words(count: usize) -> String {
    match count {
        1 => "1 hook".to_owned(),
        more => format!("{more} hooks"),
    }
}

fn verify_again(hook_id: u64) -> String {
    format!("verify it again: podtap hooks verify {hook_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet_facts<'a>(
        status: &'a Status,
        listed: Option<&'a [(u64, HookStatus)]>,
    ) -> QuietFacts<'a> {
        QuietFacts {
            status,
            made: &[],
            listed,
            newest: None,
            uncallable: None,
            has_credentials: true,
        }
    }

    fn holds(chain: &QuietChain) -> Vec<Holds> {
        chain.links.iter().map(|link| link.holds).collect()
    }

    #[test]
    fn what_nobody_knows_is_unknown_and_what_is_broken_has_a_cure() {
        use Holds::{No, Unknown, Yes};
        let since = Timestamp::UNIX_EPOCH;
        let mut status = Status::default();
        let off = chain(&quiet_facts(&status, None));
        assert_eq!(holds(&off), [Unknown, Unknown, Unknown, No, Unknown]);

        status.link = LinkState::Up { since };
        let none = chain(&quiet_facts(&status, Some(&[])));
        assert_eq!(
            none.break_at().map(|link| link.step),
            Some(QuietStep::HookExists)
        );

        let inactive = [(7, HookStatus::Inactive)];
        let inactive = chain(&quiet_facts(&status, Some(&inactive)));
        assert_eq!(holds(&inactive)[..2], [Yes, No]);
        let broken = inactive.break_at().and_then(|link| link.cure.as_deref());
        assert!(broken.is_some_and(|cure| cure.contains("podtap hooks verify 7")));

        let mut moved = quiet_facts(&status, Some(&[]));
        moved.newest = Some((Some(7), since));
        assert_eq!(holds(&chain(&moved))[..3], [Unknown, Unknown, Yes]);
    }
}
