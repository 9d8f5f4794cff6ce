//! Returns what happened to one object, step by step.

use http::StatusCode;
use podtap_agent::AgentHandle;
use podtap_agent::figures::{ShownTimeline, TimelineEntry};
use podtap_agent::why::Subject;

use crate::answer::{PageAnswer, error, json};

/// Returns the timeline of the object that a query names as `about=item:4711`. Lets the agent ask
/// Podio for unknown authors of changes, within a share of the calls per hour.
pub(crate) async fn timeline(handle: &AgentHandle, query: &str) -> PageAnswer {
    let mut given = form_urlencoded::parse(query.as_bytes());
    let named = given.find_map(|(name, value)| (name == "about").then_some(value));
    let named = Subject::parse(&named.unwrap_or_default());
    let Ok(Subject::Object(object)) = named else {
        return error(
            StatusCode::BAD_REQUEST,
            "this is not an object such as item:4711",
        );
    };
    match handle.timeline(object).await {
        Ok(timeline) => {
            let entries = timeline.entries.iter().rev();
            handle.ask_ahead(entries.filter_map(|entry| match entry {
                TimelineEntry::Event(event) if event.author.is_none() => Some(event.row.id),
                TimelineEntry::Event(_) | TimelineEntry::Missing { .. } => None,
            }));
            json(&ShownTimeline::from(&timeline))
        }
        Err(failed) => error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string()),
    }
}
