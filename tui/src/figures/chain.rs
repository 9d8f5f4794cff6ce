//! The way of a webhook, link by link, with a sign for each.

use podtap_agent::figures::{ChainLink, Holds, QuietChain, Step};

use crate::line::Line;
use crate::theme::Role;

/// Cells of a sign, with the air after it.
const SIGN: usize = 2;

/// The whole chain: how each link is known, and what to do about those that do not hold. `beside` is
/// what listens for the tunnel beside this UI, in words.
pub(crate) fn chain(chain: &QuietChain, beside: Option<&str>) -> Vec<Line> {
    let mut lines = Vec::new();
    for link in &chain.links {
        let link = &seen_from_beside(link, beside);
        lines.push(with_reason(link));
        lines.extend(cure(link));
    }
    lines
}

/// The same with what holds in a word, and what to do about the first link that does not.
pub(crate) fn chain_in_short(chain: &QuietChain, beside: Option<&str>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut is_told = false;
    for link in &chain.links {
        let link = &seen_from_beside(link, beside);
        match link.holds {
            Holds::Yes => lines.push(sign(link).put(Role::Plain, link.step.label())),
            Holds::Unknown => lines.push(with_reason(link)),
            Holds::No => {
                lines.push(with_reason(link));
                lines.extend(cure(link).filter(|_| !is_told));
                is_told = true;
            }
        }
    }
    lines
}

fn sign(link: &ChainLink) -> Line {
    let (role, sign) = match link.holds {
        Holds::Yes => (Role::Ok, "✓"),
        Holds::No => (Role::Failed, "✗"),
        Holds::Unknown => (Role::Quiet, "?"),
    };
    Line::of(role, sign).space(SIGN - 1).hanging(SIGN)
}

fn with_reason(link: &ChainLink) -> Line {
    sign(link)
        .put(Role::Plain, link.step.label())
        .put(Role::Quiet, format!(": {}", link.reason))
}

fn cure(link: &ChainLink) -> Option<Line> {
    let cure = link.cure.as_ref()?;
    Some(
        Line::new()
            .space(SIGN)
            .put(Role::Warning, cure)
            .hanging(SIGN),
    )
}

/// What another process holds for the tunnel is no break.
fn seen_from_beside(link: &ChainLink, beside: Option<&str>) -> ChainLink {
    let (Some(beside), Step::LinkUp | Step::RelayReachable) = (beside, link.step) else {
        return link.clone();
    };
    let (holds, reason) = match link.step {
        Step::LinkUp => (Holds::Yes, format!("{beside} listens")),
        _ => (
            Holds::Unknown,
            format!("{beside} knows; `podtap doctor` looks"),
        ),
    };
    ChainLink {
        holds,
        reason,
        cure: None,
        ..link.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(step: Step, holds: Holds, cure: Option<&str>) -> ChainLink {
        ChainLink {
            step,
            holds,
            reason: "because".to_owned(),
            cure: cure.map(str::to_owned),
        }
    }

    fn texts(lines: &[Line]) -> Vec<String> {
        lines.iter().map(Line::text).collect()
    }

    #[test]
    fn in_short_only_the_first_break_comes_with_its_cure() {
        let told = QuietChain {
            links: vec![
                link(Step::HookExists, Holds::Yes, None),
                link(Step::HookActive, Holds::No, Some("verify it")),
                link(Step::LinkUp, Holds::No, Some("wait")),
                link(Step::ServiceUp, Holds::Unknown, Some("send one")),
            ],
        };
        let short = texts(&chain_in_short(&told, None));
        assert_eq!(
            short,
            [
                "✓ a hook leads here",
                "✗ the hook is active: because",
                "  verify it",
                "✗ the relay is connected: because",
                "? the local service is up: because",
            ]
        );
        let whole = texts(&chain(&told, None));
        assert!(whole.contains(&"  send one".to_owned()), "{whole:?}");
        let beside = texts(&chain(&told, Some("process 7")));
        assert!(
            beside.contains(&"✓ the relay is connected: process 7 listens".to_owned()),
            "{beside:?}"
        );
    }
}
