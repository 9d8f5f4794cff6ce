//! Shows the path of a webhook step by step, with a sign for each step.

use podtap_agent::figures::{ChainLink, DOCTOR, Holds, QuietChain};

use crate::line::Line;
use crate::theme::Role;

/// Cells of a sign, with the space after it.
const SIGN: usize = 2;

/// Returns the whole chain: the reason for the state of each link, and what
/// to do about those that are broken.
pub(crate) fn chain(chain: &QuietChain) -> Vec<Line> {
    let mut lines = Vec::new();
    for link in &chain.links {
        lines.push(with_reason(link));
        lines.extend(advice(link));
    }
    lines.extend(doctor(chain));
    lines
}

/// Returns the chain without the reasons of working links, and with advice
/// for the first broken link only.
pub(crate) fn chain_in_short(chain: &QuietChain) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut is_told = false;
    for link in &chain.links {
        match link.holds {
            Holds::Yes => lines.push(sign(link).with(Role::Plain, link.step.label())),
            Holds::Unknown => lines.push(with_reason(link)),
            Holds::No => {
                lines.push(with_reason(link));
                lines.extend(advice(link).filter(|_| !is_told));
                is_told = true;
            }
        }
    }
    lines.extend(doctor(chain));
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
        .with(Role::Plain, link.step.label())
        .with(Role::Quiet, format!(": {}", link.reason))
}

fn advice(link: &ChainLink) -> Option<Line> {
    let cure = link.cure.as_ref()?;
    Some(
        Line::new()
            .space(SIGN)
            .with(Role::Warning, cure)
            .hanging(SIGN),
    )
}

/// Returns the command that finds out more, if a link is broken.
fn doctor(chain: &QuietChain) -> Option<Line> {
    chain.break_at()?;
    Some(Line::of(Role::Quiet, DOCTOR))
}

#[cfg(test)]
mod tests {
    use podtap_agent::figures::QuietStep;

    use super::*;

    fn link(step: QuietStep, holds: Holds, cure: Option<&str>) -> ChainLink {
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
                link(QuietStep::HookExists, Holds::Yes, None),
                link(QuietStep::HookActive, Holds::No, Some("verify it")),
                link(QuietStep::LinkUp, Holds::No, Some("wait")),
                link(QuietStep::ServiceUp, Holds::Unknown, Some("send one")),
            ],
        };
        let short = texts(&chain_in_short(&told));
        assert_eq!(
            short,
            [
                "✓ a hook leads here",
                "✗ the hook is active: because",
                "  verify it",
                "✗ the relay is connected: because",
                "? the local service is up: because",
                DOCTOR,
            ]
        );
        let whole = texts(&chain(&told));
        assert!(whole.contains(&"  send one".to_owned()), "{whole:?}");
        assert_eq!(whole.last().unwrap(), DOCTOR);
    }

    #[test]
    fn the_doctor_is_not_called_for_what_is_only_unknown() {
        let told = QuietChain {
            links: vec![
                link(QuietStep::HookExists, Holds::Yes, None),
                link(QuietStep::ServiceUp, Holds::Unknown, Some("send one")),
            ],
        };
        for lines in [chain(&told), chain_in_short(&told)] {
            let texts = texts(&lines);
            assert!(!texts.contains(&DOCTOR.to_owned()), "{texts:?}");
        }
    }
}
