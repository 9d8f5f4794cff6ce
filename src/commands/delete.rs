//! `podtap events delete`: deletes events permanently.

use std::process::ExitCode;

use podtap_agent::AgentHandle;
use podtap_agent::history::{Anchor, Filter, PageQuery, Position};
use podtap_agent::routes::Routes;

use super::events::{name_unknown, parse_filter};
use super::history::{browser, run_browser};
use crate::cli::DeleteEvents;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::question::{ask, event_count};
use crate::output::{note, print};
use tokio_util::sync::CancellationToken;

/// Maximum number of events per transaction, so that a running agent does not wait long.
const AT_ONCE: usize = 256;

/// Asks for confirmation, deletes, and prints the number of deleted events.
pub(crate) async fn run(delete: DeleteEvents, settings: &Settings) -> Result<ExitCode, Failure> {
    let filter = parse_filter(&delete.filter.join(" "), settings)?;
    let (agent, handle) = browser(settings, &Routes::default())?;
    let token = CancellationToken::new();
    let work = async {
        let done = ask_and_delete(&handle, filter, delete.yes).await;
        token.cancel();
        done
    };
    let (deleted, ended) = tokio::join!(work, run_browser(agent, token.clone()));
    let deleted = deleted?;
    ended?;
    if let Some(events) = deleted {
        print(&format!("Deleted {}.", event_count(events)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the number of deleted events; `None` if the answer was no.
async fn ask_and_delete(
    agent: &AgentHandle,
    filter: Filter,
    yes: bool,
) -> Result<Option<u64>, Failure> {
    let found = agent.history().count(filter.clone()).await?;
    if found == 0 {
        let failure = Failure::new(Code::NothingMatched, "no event matches this filter");
        return Err(name_unknown(failure, &filter));
    }
    if !yes && !confirm(found)? {
        note("nothing was deleted");
        return Ok(None);
    }
    let mut deleted = 0;
    loop {
        let rows = agent
            .history()
            .page(PageQuery {
                filter: filter.clone(),
                anchor: Anchor::Newest,
                limit: AT_ONCE,
            })
            .await?;
        if rows.is_empty() {
            break;
        }
        let positions: Vec<Position> = rows.iter().map(|row| row.position).collect();
        deleted += agent.delete_events(positions).await?;
    }
    agent.scrub().await?;
    Ok(Some(deleted))
}

fn confirm(events: u64) -> Result<bool, Failure> {
    let events = event_count(events);
    let answer = ask(&format!("Delete {events} permanently?"))?;
    answer.ok_or_else(|| {
        Failure::usage(format!("deleting {events} needs a confirmation")).hint("add --yes")
    })
}
