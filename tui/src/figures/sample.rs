//! Figures for tests.

use std::time::Duration;

use jiff::SignedDuration;
use podtap_agent::figures::{
    AnswerTimes, Bucket, ChainLink, Holds, Minute, MinuteState, QuietChain, QuietStep,
};
use podtap_podio::client::CallBudget;

use super::ShownFigures;
use crate::testing::now;

/// Returns the figures of an agent whose hooks have called, or of which none has called yet.
pub(crate) fn figures(has_called: bool) -> ShownFigures {
    let link = |step, holds, reason: &str| ChainLink {
        step,
        holds,
        reason: reason.to_owned(),
        cure: None,
    };
    let hook = if has_called {
        Holds::Yes
    } else {
        Holds::Unknown
    };
    let bucket = |millis, count| Bucket {
        up_to: Some(Duration::from_millis(millis)),
        count,
    };
    let millis = |millis| Some(Duration::from_millis(millis));
    let minute = |minute: u64| Minute {
        at: now(),
        link: match minute {
            0..20 => MinuteState::Unknown,
            40..43 => MinuteState::Away,
            43 => MinuteState::Partly,
            _ => MinuteState::Up,
        },
        service: match minute {
            0..30 => MinuteState::Unknown,
            50..54 => MinuteState::Away,
            _ => MinuteState::Up,
        },
        waiting: if (50..55).contains(&minute) {
            minute - 49
        } else {
            0
        },
        lost: 0,
        refused: u64::from(minute == 52),
    };
    ShownFigures {
        chain: Some(QuietChain {
            links: vec![
                link(QuietStep::HookExists, hook, "Podio has not been asked yet"),
                link(QuietStep::HookActive, hook, "no hook is known"),
                link(
                    QuietStep::RelayReachable,
                    Holds::Yes,
                    "a webhook has arrived",
                ),
                link(QuietStep::LinkUp, Holds::Yes, "since 2026-11-23 12:04 UTC"),
                link(QuietStep::ServiceUp, Holds::Yes, "it answered"),
            ],
        }),
        times: has_called.then(|| AnswerTimes {
            buckets: [
                (5, 0),
                (10, 40),
                (20, 210),
                (50, 800),
                (100, 150),
                (200, 3),
                (15_000, 0),
            ]
            .map(|(millis, count)| bucket(millis, count))
            .into(),
            answered: 1_203,
            unanswered: 1,
            over_limit: 0,
            p50: millis(38),
            p95: millis(88),
            max: millis(180),
        }),
        hour: (0..60).map(minute).collect(),
        budget: has_called.then(|| CallBudget {
            limit: 1_000,
            remaining: 420,
            resets_by: now() + SignedDuration::from_mins(20),
            closed_until: None,
        }),
    }
}
