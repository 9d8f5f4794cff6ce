//! `podtap hooks list`: hooks as Podio has them, with what is known of them here.

use podtap_agent::routes::Routes;
use podtap_agent::{HookFacts, HookStanding, ListedHook, Place, PlaceRef};
use podtap_podio::client::{Client, HookStatus};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::several::Results;
use crate::commands::history::{browser, run_browser};
use crate::commands::podio::base_url;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::table::table;
use crate::output::{json, print};

/// What is known of hooks without asking Podio.
pub(super) async fn facts(settings: &Settings) -> Result<HookFacts, Failure> {
    if !settings.history()?.exists() {
        return Ok(HookFacts::without_history(&base_url(settings)?));
    }
    let (agent, handle) = browser(settings, &Routes::default())?;
    let facts = handle.hook_facts().await;
    // Closes the history in good order.
    let done = CancellationToken::new();
    done.cancel();
    run_browser(agent, done).await?;
    Ok(facts?)
}

/// Prints the hooks of each object. One whose hooks cannot be listed is named at the end.
pub(super) async fn list(
    client: &Client,
    places: &[PlaceRef],
    facts: &HookFacts,
    as_json: bool,
) -> Result<(), Failure> {
    let (mut results, mut listed) = (Results::default(), Vec::new());
    for &at in places {
        match client.hooks(at.ref_type, at.ref_id).await {
            Ok(hooks) => listed.extend(hooks.into_iter().map(|hook| {
                let place = Place { at, name: None };
                facts.describe(place, hook)
            })),
            Err(error) => results.note_failure(at.to_string(), error.into()),
        }
    }
    show(&listed, as_json)?;
    results.into_one("some hooks could not be listed")
}

/// Prints hooks as a table, or as JSON lines.
pub(super) fn show(hooks: &[ListedHook], as_json: bool) -> Result<(), Failure> {
    const HEADINGS: [&str; 8] = [
        "HOOK", "STATUS", "STANDING", "ON", "EVENT", "VERDICT", "URL", "MADE BY",
    ];
    let lines = if as_json {
        hooks.iter().map(object).collect()
    } else {
        let rows: Vec<_> = hooks.iter().map(cells).collect();
        table(HEADINGS, &rows)
    };
    lines.iter().try_for_each(print)
}

/// A hook for people.
fn cells(listed: &ListedHook) -> [String; 8] {
    let ListedHook { place, hook, .. } = listed;
    let by = hook.created_by.as_ref().map(|by| by.name.clone());
    let standing = listed.standing.as_ref().map(HookStanding::conclusion);
    let verdict = listed.verdict.word();
    [
        hook.hook_id.to_string(),
        status(hook.status).to_owned(),
        standing.unwrap_or_default().to_owned(),
        place.at.to_string(),
        hook.event.clone(),
        verdict.unwrap_or_default().to_owned(),
        hook.url.clone(),
        by.unwrap_or_default(),
    ]
}

fn status(status: HookStatus) -> &'static str {
    match status {
        HookStatus::Active => "active",
        HookStatus::Inactive => "inactive",
        HookStatus::Unknown => "unknown",
    }
}

/// A hook for programs.
fn object(listed: &ListedHook) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        hook_id: String,
        status: &'static str,
        event: &'a str,
        url: &'a str,
        ref_type: &'static str,
        ref_id: String,
        created_on: Option<&'a str>,
        /// What Podio would have concluded, had it called the local service itself.
        standing: Option<&'a str>,
        /// What is known against the URL.
        url_verdict: Option<&'a str>,
    }
    let ListedHook { place, hook, .. } = listed;
    let object = Object {
        hook_id: hook.hook_id.to_string(),
        status: status(hook.status),
        event: &hook.event,
        url: &hook.url,
        ref_type: place.at.ref_type.as_str(),
        ref_id: place.at.ref_id.to_string(),
        created_on: hook.created_on.as_deref(),
        standing: listed.standing.as_ref().map(HookStanding::conclusion),
        url_verdict: listed.verdict.word(),
    };
    json::line("hook", &object)
}
