//! `podtap hooks list`: lists the hooks that Podio has, with what the history knows about them.

use podtap_agent::hooks::ListedHookObject;
use podtap_agent::routes::Routes;
use podtap_agent::{HookFacts, HookStanding, ListedHook, Place, PlaceRef};
use podtap_podio::client::Client;
use tokio_util::sync::CancellationToken;

use super::several::Results;
use crate::commands::history::{browser, run_browser};
use crate::commands::podio::base_url;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::print;
use crate::output::table::table;

/// Returns what is known about hooks without asking Podio.
pub(super) async fn facts(settings: &Settings) -> Result<HookFacts, Failure> {
    if !settings.history()?.exists() {
        return Ok(HookFacts::without_history(&base_url(settings)?));
    }
    let (agent, handle) = browser(settings, &Routes::default())?;
    let facts = handle.hook_facts().await;
    // Cancelled at once: this closes the history.
    let done = CancellationToken::new();
    done.cancel();
    run_browser(agent, done).await?;
    Ok(facts?)
}

/// Prints the hooks of each object. Objects whose hooks cannot be listed are named at the end.
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
        hooks
            .iter()
            .map(|hook| ListedHookObject::from(hook).to_line())
            .collect()
    } else {
        let rows: Vec<_> = hooks.iter().map(cells).collect();
        table(HEADINGS, &rows)
    };
    lines.iter().try_for_each(print)
}

/// Formats a hook as the cells of a table.
fn cells(listed: &ListedHook) -> [String; 8] {
    let ListedHook { place, hook, .. } = listed;
    let by = hook.created_by.as_ref().map(|by| by.name.clone());
    let standing = listed.standing.as_ref().map(HookStanding::conclusion);
    let verdict = listed.verdict.word();
    [
        hook.hook_id.to_string(),
        hook.status.word().to_owned(),
        standing.unwrap_or_default().to_owned(),
        place.at.to_string(),
        hook.event.clone(),
        verdict.unwrap_or_default().to_owned(),
        hook.url.clone(),
        by.unwrap_or_default(),
    ]
}
