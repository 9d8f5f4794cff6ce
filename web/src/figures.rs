//! Returns the figures that the page draws: when events arrived, and how long
//! the local service took to answer.

use http::StatusCode;
use podtap_agent::AgentHandle;
use podtap_agent::figures::{AnswerTimes, MINUTES, Minute, MinuteState, Traffic};
use podtap_agent::history::HistoryError;
use serde::Serialize;

use crate::answer::{PageAnswer, error, json};

#[derive(Debug, Serialize)]
struct FiguresObject {
    /// Number of events in each of the last 60 minutes, oldest first.
    per_minute: Vec<u64>,
    /// The states of the link and of the local service in each of those minutes.
    hour: Vec<MinuteObject>,
    answers: Answers,
}

#[derive(Debug, Serialize)]
struct MinuteObject {
    at: String,
    link: &'static str,
    service: &'static str,
    /// Maximum number of events that waited at the same time.
    waiting: u64,
    /// Number of webhooks that the relay refused, or removed before an agent received them.
    lost: u64,
}

#[derive(Debug, Serialize)]
struct Answers {
    /// The buckets, each with its upper edge in milliseconds, which the last one
    /// lacks, and its number of answers.
    buckets: Vec<(Option<f64>, u64)>,
    answered: u64,
    unanswered: u64,
    /// Number of answers that took longer than Podio waits.
    over_limit: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    max_ms: Option<f64>,
}

pub(crate) async fn now(handle: &AgentHandle) -> PageAnswer {
    let read = async {
        let traffic = handle.traffic().await?;
        let times = handle.answer_times().await?;
        Ok::<_, HistoryError>((traffic, times))
    };
    match read.await {
        Ok((traffic, times)) => json(&FiguresObject {
            per_minute: per_minute(&traffic),
            hour: handle.past_hour().iter().map(MinuteObject::from).collect(),
            answers: Answers::from(times),
        }),
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
}

/// Returns the events per minute of all hooks together.
fn per_minute(traffic: &Traffic) -> Vec<u64> {
    let mut all = vec![0; MINUTES];
    for hook in &traffic.hooks {
        for (sum, count) in all.iter_mut().zip(&hook.per_minute) {
            *sum += count;
        }
    }
    all
}

impl From<&Minute> for MinuteObject {
    fn from(minute: &Minute) -> Self {
        let word = |state| match state {
            MinuteState::Unknown => "unknown",
            MinuteState::Up => "up",
            MinuteState::Partly => "partly",
            MinuteState::Away => "away",
        };
        Self {
            at: minute.at.to_string(),
            link: word(minute.link),
            service: word(minute.service),
            waiting: minute.waiting,
            lost: minute.lost.saturating_add(minute.refused),
        }
    }
}

impl From<AnswerTimes> for Answers {
    fn from(times: AnswerTimes) -> Self {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let buckets = times.buckets.iter();
        Self {
            buckets: buckets
                .map(|bucket| (bucket.up_to.map(ms), bucket.count))
                .collect(),
            answered: times.answered,
            unanswered: times.unanswered,
            over_limit: times.over_limit,
            p50_ms: times.p50.map(ms),
            p95_ms: times.p95.map(ms),
            max_ms: times.max.map(ms),
        }
    }
}
