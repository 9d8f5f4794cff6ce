//! `podtap hooks list`: hooks as Podio has them, with what is known of them here.

use podtap_agent::export::json::text::to_line;
use podtap_agent::{HookStanding, HookUrls, PlaceRef};
use podtap_podio::client::{Client, Hook, HookStatus};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::several::Results;
use crate::commands::history::{browser, run_browser};
use crate::commands::podio::base_url;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{print, printable};

/// What is known of hooks without asking Podio.
pub(super) struct Known {
    /// What Podio would have concluded of each, where this tunnel has a history to tell it from.
    standings: Vec<HookStanding>,
    urls: HookUrls,
}

impl Known {
    pub(super) async fn read(settings: &Settings) -> Result<Self, Failure> {
        if !settings.history()?.exists() {
            return Ok(Self {
                standings: Vec::new(),
                urls: HookUrls::new(&base_url(settings)?, None),
            });
        }
        let (agent, handle) = browser(settings, None)?;
        let (standings, urls) = tokio::join!(handle.standings(), handle.hook_urls());
        // Closes the history in good order.
        let done = CancellationToken::new();
        done.cancel();
        run_browser(agent, done).await?;
        let (standings, urls) = (standings?, urls?);
        Ok(Self { standings, urls })
    }
}

/// What is said of one hook beside what Podio says.
#[derive(Default)]
pub(super) struct Judged {
    standing: Option<&'static str>,
    verdict: Option<&'static str>,
}

/// Prints the hooks of each object; one that cannot be listed is told, and keeps no other.
pub(super) async fn list(
    client: &Client,
    places: &[PlaceRef],
    known: &Known,
    json: bool,
) -> Result<(), Failure> {
    let mut results = Results::default();
    for place in places {
        let hooks = match client.hooks(place.ref_type, place.ref_id).await {
            Ok(hooks) => hooks,
            Err(error) => {
                results.failed(place.to_string(), error.into());
                continue;
            }
        };
        for hook in hooks {
            let mut standings = known.standings.iter();
            let standing = standings.find(|known| known.hook_id == hook.hook_id);
            let judged = Judged {
                standing: standing.map(HookStanding::conclusion),
                verdict: known.urls.verdict(&hook.url).word(),
            };
            print(&if json {
                object(*place, &hook, &judged)
            } else {
                line(*place, &hook, &judged)
            })?;
        }
    }
    results.into_one("the hooks of some could not be listed")
}

/// A hook for people.
pub(super) fn line(place: PlaceRef, hook: &Hook, judged: &Judged) -> String {
    let holder = format!("{} {}", place.ref_type, place.ref_id);
    let by = hook.created_by.as_ref().map_or("", |by| by.name.as_str());
    let line = format!(
        "{:<10}  {:8}  {:18}  {holder:16}  {:16}  {:15}  {}  {by}",
        hook.hook_id,
        status(hook.status),
        // Only a local service that would have lost the hook is worth a word.
        judged
            .standing
            .filter(|standing| *standing != "active")
            .unwrap_or_default(),
        hook.event,
        judged.verdict.unwrap_or_default(),
        hook.url
    );
    printable(line.trim_end())
}

fn status(status: HookStatus) -> &'static str {
    match status {
        HookStatus::Active => "active",
        HookStatus::Inactive => "inactive",
        HookStatus::Unknown => "unknown",
    }
}

/// A hook as a JSON line.
pub(super) fn object(place: PlaceRef, hook: &Hook, judged: &Judged) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        v: u8,
        r#type: &'static str,
        hook_id: String,
        status: &'static str,
        event: &'a str,
        url: &'a str,
        ref_type: &'static str,
        ref_id: String,
        created_on: Option<&'a str>,
        /// What Podio would have concluded, had it called the local service itself.
        standing: Option<&'a str>,
        /// What is to be thought of the URL.
        url_verdict: Option<&'a str>,
    }
    let object = Object {
        v: 1,
        r#type: "hook",
        hook_id: hook.hook_id.to_string(),
        status: status(hook.status),
        event: &hook.event,
        url: &hook.url,
        ref_type: place.ref_type.as_str(),
        ref_id: place.ref_id.to_string(),
        created_on: hook.created_on.as_deref(),
        standing: judged.standing,
        url_verdict: judged.verdict,
    };
    to_line(&object)
}
