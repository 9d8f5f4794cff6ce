//! `podtap replay`: events of the history go to the local service again.

use std::process::ExitCode;

use crate::output::printable;
use podtap_agent::export::json::AttemptObject;
use podtap_agent::history::{Attempt, Event, Outcome};
use podtap_agent::{AgentHandle, Replay as Request, Target, first_target};
use podtap_tui::editor::edit;
use podtap_wire::EventId;

use super::events::{newest, nothing_matches, parse_filter};
use super::history::{browser, find, load, run_browser};
use crate::cli::Replay;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure};
use crate::output::look::Look;
use crate::output::{lines, print};
use crate::parts::Parts;
use crate::shutdown::Shutdown;

/// The most events that one filter replays: a slip of the hand should not take a day.
const MAX_EVENTS: usize = 100_000;

/// Replays them one after the other, the oldest first.
pub(crate) async fn run(replay: Replay, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::watch()?;
    let (agent, handle) = browser(settings, settings.target()?)?;
    let ids = chosen(&replay, &handle, settings).await?;
    let editor = replay.edit.then(|| settings.editor());
    let mut parts = Parts::new(shutdown.token().clone());
    parts.start(run_browser(agent, parts.token()));
    let (token, look) = (parts.token(), settings.look()?);
    parts.start(async move {
        tokio::select! {
            () = token.cancelled() => Ok(()),
            sent = send_all(&handle, ids, editor, replay.json, &look) => sent,
        }
    });
    parts.finish().await?;
    Ok(shutdown.exit_code())
}

async fn chosen(
    replay: &Replay,
    handle: &AgentHandle,
    settings: &Settings,
) -> Result<Vec<EventId>, Failure> {
    let history = handle.history();
    let Some(filter) = &replay.filter else {
        let mut ids = Vec::with_capacity(replay.ids.len());
        for text in &replay.ids {
            ids.push(find(history, text).await?);
        }
        return Ok(ids);
    };
    let rows = newest(history, &parse_filter(filter, settings)?, MAX_EVENTS).await?;
    if rows.is_empty() {
        return Err(nothing_matches(filter));
    }
    Ok(rows.iter().rev().map(|row| row.id).collect())
}

/// Sends them all; one that is answered with an error does not keep the others back, a local
/// service that cannot be reached does.
async fn send_all(
    handle: &AgentHandle,
    ids: Vec<EventId>,
    editor: Option<String>,
    json: bool,
    look: &Look,
) -> Result<(), Failure> {
    let (count, mut errors) = (ids.len(), 0_usize);
    for id in ids {
        let event = load(handle.history(), id).await?;
        let configured = handle.status().borrow().target.is_some();
        let target = if configured {
            None
        } else {
            Some(earlier_target(handle, &event).await?)
        };
        let edited = match &editor {
            None => None,
            Some(editor) => match edit(editor, &Key::secret_variables(), &event.request).await {
                Ok(Some(edited)) => Some(edited),
                Ok(None) => continue,
                Err(why) => return Err(Failure::new(Code::Failed, why)),
            },
        };
        let request = Request {
            event: id,
            target,
            edited,
        };
        let attempt = handle
            .replay(request)
            .await
            .map_err(|error| Failure::because("the event cannot be replayed", &error))?;
        if json {
            print(&AttemptObject::from(&attempt).to_line())?;
        } else {
            print(&lines::attempt(&event, &attempt, look))?;
        }
        match &attempt.outcome {
            Outcome::Failed { error } => return Err(no_answer(&attempt, error)),
            Outcome::Answered { status: 400.., .. } => errors += 1,
            Outcome::Answered { .. } => {}
        }
    }
    if errors == 0 {
        return Ok(());
    }
    Err(Failure::new(
        Code::ServiceFailed,
        format!("the local service answered {errors} of {count} with an error"),
    ))
}

fn no_answer(attempt: &Attempt, error: &str) -> Failure {
    Failure::new(
        Code::ServiceFailed,
        format!("the local service did not answer: {error}"),
    )
    .fact("url", printable(&attempt.url))
    .hint("start it, or name another with --to")
}

/// Where the event went first: what `replay` means when nobody says where to.
async fn earlier_target(handle: &AgentHandle, event: &Event) -> Result<Target, Failure> {
    let attempts = handle.history().attempts(event.id).await?;
    let target = first_target(&attempts, &event.request.path);
    target.ok_or_else(|| {
        Failure::usage("this event was never delivered from here, so where to?")
            .hint("name the local service with --to")
    })
}
