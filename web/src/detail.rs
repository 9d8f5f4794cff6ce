//! One event whole: what came, what changed, what was answered, and another try.

use http::StatusCode;
use podtap_agent::explain::ExplainError;
use podtap_agent::export::shown::{ShownAttempt, ShownEvent, ShownExplanation};
use podtap_agent::history::HistoryError;
use podtap_agent::{AgentHandle, EventId, Replay, ReplayError};

use crate::answer::{PageAnswer, error, json};
use crate::edit;

/// Of a body this many bytes are shown; `podtap show` has all of it.
const MAX_SHOWN: usize = 256 * 1024;

/// An event with its attempts, and what is remembered of it.
pub(crate) async fn whole(handle: &AgentHandle, id: EventId) -> PageAnswer {
    let read = async {
        let Some(event) = handle.history().event(id).await? else {
            return Ok(None);
        };
        let attempts = handle.history().attempts(id).await?;
        let explanation = handle.recall_explanation(&event).await?;
        Ok::<_, HistoryError>(Some((event, attempts, explanation)))
    };
    match read.await {
        Ok(Some((event, attempts, explanation))) => json(&ShownEvent::new(
            &event,
            &attempts,
            explanation.as_ref(),
            MAX_SHOWN,
        )),
        Ok(None) => error(
            StatusCode::NOT_FOUND,
            "the history does not have this event",
        ),
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
}

/// What Podio knows of an event.
pub(crate) async fn explain(handle: &AgentHandle, id: EventId) -> PageAnswer {
    match handle.explain(id).await {
        Ok(explanation) => json(&ShownExplanation::from(&explanation)),
        Err(failed) => {
            let status = match failed {
                ExplainError::UnknownEvent(_) => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            error(status, &failed.to_string())
        }
    }
}

/// Sends an event to the local service once more; where there is a file, what a person made of it.
pub(crate) async fn replay(handle: &AgentHandle, id: EventId, file: &str) -> PageAnswer {
    let edited = match file {
        "" => None,
        file => match edit::read(file) {
            Ok(edited) => Some(edited),
            Err(wrong) => return error(StatusCode::BAD_REQUEST, &wrong),
        },
    };
    let replay = Replay {
        event: id,
        target: None,
        edited,
    };
    match handle.replay(replay).await {
        Ok(attempt) => json(&ShownAttempt::new(&attempt, MAX_SHOWN)),
        Err(failed) => {
            let status = match failed {
                ReplayError::UnknownEvent(_) => StatusCode::NOT_FOUND,
                _ => StatusCode::CONFLICT,
            };
            error(status, &failed.to_string())
        }
    }
}
