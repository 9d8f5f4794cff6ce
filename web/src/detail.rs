//! Answers requests about one event: the request as received, the changes,
//! the answers, and a replay.

use http::StatusCode;
use podtap_agent::explain::ExplainError;
use podtap_agent::export::shown::{ShownAttempt, ShownEvent, ShownExplanation};
use podtap_agent::history::HistoryError;
use podtap_agent::{AgentHandle, EventId, Replay, ReplayError};

use crate::answer::{PageAnswer, error, json};
use crate::edit;

/// Maximum number of bytes of a body to show. `podtap show` shows all of them.
const MAX_SHOWN: usize = 256 * 1024;

/// Returns an event with its attempts, and what is known about it from Podio.
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

/// Asks Podio about an event.
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

/// Sends an event to the local service again. If `file` is not empty, sends
/// the edited request in it.
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
