//! `wait_for_event`: waits until matching events have arrived.

use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::amount;
use podtap_agent::export::shown::ShownRow;
use podtap_agent::history::{EventRow, Filter};
use podtap_agent::wait::{AwaitedEvents, EventWait, WaitError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::sleep;

use super::filter;
use crate::answer::ToolAnswer;
use crate::arguments::within;
use crate::context::ToolContext;
use crate::problem::ToolProblem;

pub(super) const TEXT: &str = "Waits until events that match have arrived. Looks at events that are already there first (`since`), \
     so it does not matter whether the change or this call comes first. Change an item, call this, then look at the \
     outcome with get_event.";

const MAX_COUNT: u32 = 100;
const MAX_SECONDS: u32 = 600;

/// Maximum time for the last read of the history after the client's input has ended.
const LAST_LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitForEventArguments {
    /// Terms as for `list_events`, such as `type:item.update item:4711`. Empty: any event.
    #[serde(default)]
    filter: String,
    /// Number of events to wait for.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    count: u32,
    /// Also count events that were accepted within this time, such as `30s`, `5m` or `2h`, or since a time such as
    /// `2026-11-23T14:30:00Z`. `0s`: only new ones.
    #[serde(default = "since")]
    since: String,
    /// Seconds to wait. Many clients end a call after 60 seconds.
    #[serde(default = "seconds")]
    #[schemars(range(min = 1, max = 600))]
    timeout_seconds: u32,
    /// Count an event only once the local service has answered it, with any status.
    #[serde(default)]
    delivered: bool,
    /// Count only a `hook.verify`, once its hook is active.
    #[serde(default)]
    verified: bool,
}

const fn one() -> u32 {
    1
}

fn since() -> String {
    "5m".to_owned()
}

const fn seconds() -> u32 {
    50
}

pub(super) async fn call(
    world: &ToolContext,
    arguments: WaitForEventArguments,
) -> Result<ToolAnswer, ToolProblem> {
    let count = within("count", arguments.count, 1, MAX_COUNT)?;
    within("timeout_seconds", arguments.timeout_seconds, 1, MAX_SECONDS)?;
    let since = Filter::time(&arguments.since, Timestamp::now())
        .map_err(|expected| ToolProblem::new("`since` cannot be read").hint(expected))?;
    let (filter, hint) = filter::parse(&arguments.filter, world)?;
    let hint = hint.or_else(|| filter.unknown_name().map(|name| format!("{name}.")));
    let time = Duration::from_secs(arguments.timeout_seconds.into());
    let mut wait = EventWait::new(filter, since, time).count(count);
    if arguments.delivered {
        wait = wait.once_delivered();
    }
    if arguments.verified {
        wait = wait.once_verified();
    }
    let cut_short = async {
        world.ended.cancelled().await;
        sleep(LAST_LOOK).await;
    };
    let found = tokio::select! {
        found = wait.run(&world.config.history) => found,
        () = cut_short => return Err(ToolProblem::new("the wait ended with the client's input")),
    };
    match found {
        Ok(AwaitedEvents { history, events }) => {
            let rows = history.rows_of(&events).await?;
            Ok(ToolAnswer::new(match rows.len() {
                1 => "The event arrived.".to_owned(),
                count => format!("{count} events arrived, oldest first."),
            })
            .with_all(wait_objects(&rows)))
        }
        Err(error) => Err(in_vain(error, arguments.timeout_seconds, hint, world)),
    }
}

fn wait_objects(rows: &[EventRow]) -> Vec<Value> {
    let rows = rows.iter().map(|row| ShownRow::new(row, None));
    // Serialization cannot fail: all keys of a row are text.
    rows.filter_map(|row| serde_json::to_value(row).ok())
        .collect()
}

fn in_vain(
    error: WaitError,
    seconds: u32,
    hint: Option<String>,
    world: &ToolContext,
) -> ToolProblem {
    let limit = amount::limit(Duration::from_secs(seconds.into()));
    match error {
        WaitError::History(error) => error.into(),
        WaitError::NoHistory(_) => world.no_history(),
        WaitError::TooFew(instead) => {
            let what = match (instead.matched, instead.are_near) {
                (0, true) => format!(
                    "no event had been answered or verified as asked within {limit}; below is what matched so far"
                ),
                (0, false) if instead.rows.is_empty() => {
                    format!("no event arrived within {limit}")
                }
                (0, false) => {
                    format!("no event matched within {limit}; below is what arrived instead")
                }
                (matched, _) => format!("only {matched} matched within {limit}"),
            };
            let cure = "call `why` with the object or event type, or `link_state`";
            let cure = hint.map_or_else(|| cure.to_owned(), |hint| format!("{hint} Or {cure}"));
            ToolProblem::new(what)
                .hint(cure)
                .with(wait_objects(&instead.rows))
        }
    }
}
