//! `podtap hooks create`: creates permanent hooks for a URL that Podio can call.

use podtap_agent::hooks::plan;
use podtap_agent::{HookFacts, HookUrls, Place, PlaceRef};
use podtap_podio::client::{Client, Hook, HookStatus};
use podtap_podio::hook_url::parameters_of_podio;

use super::listing::show;
use super::several::Results;
use crate::commands::podio::base_url;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::printable;

/// Checks that Podio, or the stand-in in the settings, can call a URL.
pub(super) fn check(url: &str, settings: &Settings) -> Result<(), Failure> {
    HookUrls::new(&base_url(settings)?, None)
        .check(url)
        .map_err(|why| {
            Failure::usage("Podio cannot call this URL")
                .fact("url", printable(url))
                .fact("why", why.to_string())
                .hint(why.cure())
        })?;
    warn_of_query(url);
    Ok(())
}

/// Warns about query parameters that a receiver would confuse with Podio's own.
pub(super) fn warn_of_query(url: &str) {
    let names = parameters_of_podio(url);
    if !names.is_empty() {
        tracing::warn!(
            "Podio moves the query into the body, which has parameters of the same names ({}): many \
             receivers use the last one. Use other names, or put the value into the path",
            names.join(", ")
        );
    }
}

/// Creates a hook on each object for each event type that `events` names.
pub(super) async fn create(
    client: &Client,
    places: &[PlaceRef],
    facts: &HookFacts,
    events: &str,
    url: &str,
    json: bool,
) -> Result<(), Failure> {
    let mut planned = Vec::new();
    for place in places {
        let hooks = plan(*place, events).map_err(|error| Failure::usage(error.to_string()))?;
        planned.extend(hooks);
    }
    let (mut results, mut made) = (Results::default(), Vec::new());
    for wanted in planned {
        let PlaceRef { ref_type, ref_id } = wanted.place;
        let created = client.create_hook(ref_type, ref_id, url, wanted.event);
        let hook_id = match created.await {
            Ok(hook_id) => hook_id,
            Err(error) => {
                let what = format!("{} on {}", wanted.event, wanted.place);
                results.note_failure(what, error.into());
                continue;
            }
        };
        let hook = Hook {
            hook_id,
            status: HookStatus::Inactive,
            event: wanted.event.as_str().to_owned(),
            url: url.to_owned(),
            created_on: None,
            created_by: None,
            created_via: None,
        };
        let place = Place {
            at: wanted.place,
            name: None,
        };
        made.push(facts.describe(place, hook));
    }
    show(&made, json)?;
    results.into_one("some hooks were not created")
}
