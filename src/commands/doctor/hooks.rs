//! Checks the hooks of the known places: one leads to
//! this tunnel, is active, and Podio would still call it.

use podtap_agent::amount::count;
use podtap_agent::routes::Routes;
use podtap_agent::{
    FailedPlace, HookFacts, HookStanding, HookUrls, ListedHook, Place, PlaceRef, UrlVerdict,
};
use podtap_connect::reason::chain;
use podtap_podio::client::{Client, HookStatus};
use podtap_podio::standing::Judgement;
use tokio_util::sync::CancellationToken;

use super::finding::LinkFinding;
use super::walk::LinkResult;
use crate::commands::history::{browser, run_browser};
use crate::commands::podio::base_url;
use crate::config::{Key, Settings};
use crate::failure::Failure;

/// Maximum number of hooks that are named.
const MAX_NAMED: usize = 3;

/// Hooks as Podio lists them, and their places.
#[derive(Default)]
pub(super) struct ListedHooks {
    hooks: Vec<ListedHook>,
    places: Vec<PlaceRef>,
    failed: Vec<FailedPlace>,
}

/// What is known about the tunnel.
pub(super) struct TunnelFacts {
    /// The tunnel's URL, which the relay has just sent.
    pub(super) url: Option<String>,
    /// Whether a history can be read.
    pub(super) has_history: bool,
}

pub(super) async fn hooks(
    settings: &Settings,
    client: Option<&Client>,
    known: TunnelFacts,
) -> LinkResult<()> {
    let Some(client) = client else {
        return Err(LinkFinding::new_skipped("no Podio credentials are set"));
    };
    let api = base_url(settings).map_err(LinkFinding::of_setting)?;
    let TunnelFacts { url, has_history } = known;
    let (mut listed, remembered) = if has_history {
        of_history(settings).await?
    } else {
        (of_app(settings, client).await?, None)
    };
    let url = url.or(remembered);
    let urls = HookUrls::new(&api, url.as_deref());
    for hook in &mut listed.hooks {
        hook.verdict = urls.verdict(&hook.hook.url);
    }
    judge(&listed, url.is_some()).map(|finding| (finding, ()))
}

/// Lists the hooks of all places that the history knows,
/// and returns the tunnel's URL from the history.
async fn of_history(settings: &Settings) -> Result<(ListedHooks, Option<String>), LinkFinding> {
    let not_read = |failure: Failure| LinkFinding::new_broken(failure.what(), "try again");
    let (agent, handle) = browser(settings, &Routes::default()).map_err(not_read)?;
    let listing = handle.podio_hooks().await;
    let url = handle.tunnel_url().await.ok().flatten();
    // Cancelled at once: this closes the history.
    let done = CancellationToken::new();
    done.cancel();
    run_browser(agent, done).await.map_err(not_read)?;
    let listing = listing.map_err(|error| {
        LinkFinding::new_broken(
            chain(&error),
            "try again later, or look with `podtap hooks list`",
        )
    })?;
    let listed = ListedHooks {
        places: listing.places.iter().map(|place| place.at).collect(),
        hooks: listing.hooks,
        failed: listing.failed,
    };
    Ok((listed, url))
}

/// Lists the hooks of the app whose credentials are set.
async fn of_app(settings: &Settings, client: &Client) -> Result<ListedHooks, LinkFinding> {
    let app = settings.number(Key::PODIO_APP_ID);
    let Some(at) = app.map_err(LinkFinding::of_setting)?.map(PlaceRef::app) else {
        return Ok(ListedHooks::default());
    };
    let place = Place { at, name: None };
    let facts = HookFacts::without_history(&base_url(settings).map_err(LinkFinding::of_setting)?);
    let mut listed = ListedHooks {
        places: vec![at],
        ..ListedHooks::default()
    };
    match client.hooks(at.ref_type, at.ref_id).await {
        Ok(hooks) => {
            let hooks = hooks.into_iter();
            listed.hooks = hooks
                .map(|hook| facts.describe(place.clone(), hook))
                .collect();
        }
        Err(error) => listed.failed.push(FailedPlace {
            place,
            reason: podtap_agent::reason::of_podio(&error),
        }),
    }
    Ok(listed)
}

/// Judges the hooks. Pure.
fn judge(listed: &ListedHooks, tunnel_is_known: bool) -> Result<LinkFinding, LinkFinding> {
    let ListedHooks {
        hooks,
        places,
        failed,
    } = listed;
    let Some(first) = places.first() else {
        return Err(LinkFinding::new_skipped(
            "no app is known yet: set PODTAP_PODIO_APP_ID, or wait for an event",
        ));
    };
    if let Some(FailedPlace { place, reason }) = failed.first() {
        return Err(LinkFinding::new_broken(
            format!("the hooks on {} cannot be listed: {reason}", place.at),
            "the credentials may not see it: use the token of that app, or `podtap login`",
        ));
    }
    if !tunnel_is_known {
        let known = count(hooks.len() as u64, "hook");
        return Err(LinkFinding::new_skipped(format!(
            "{known} found; run `podtap listen` once to see which of them lead here"
        )));
    }
    let is_ours = |hook: &&ListedHook| hook.verdict == UrlVerdict::Ours;
    let ours: Vec<_> = hooks.iter().filter(is_ours).collect();
    if ours.is_empty() {
        return Err(none_leads_here(hooks, *first));
    }
    if let Some(ListedHook { hook, .. }) = ours.iter().find(|listed| is_inactive(listed)) {
        return Err(LinkFinding::new_broken(
            format!("the hook {} ({}) is not active", hook.hook_id, hook.event),
            format!(
                "run `podtap hooks verify {}` while `podtap listen` runs, which answers Podio",
                hook.hook_id
            ),
        ));
    }
    let leads = format!("{} to this tunnel", count_of_leading(ours.len() as u64));
    let failing = ours.iter().find_map(|listed| {
        let standing = listed.standing.as_ref()?;
        (!matches!(standing.current, Judgement::Active)).then_some(standing)
    });
    if let Some(standing) = failing {
        let (id, would) = (standing.hook_id, HookStanding::conclusion(standing));
        return Ok(LinkFinding::doubtful(
            format!("{leads}, all active; without the relay in front, hook {id} {would}"),
            "keep using the relay, which answers for the service, and fix the failures before you \
             point the hook at the service itself",
        ));
    }
    Ok(LinkFinding::good(format!("{leads}, all active")))
}

fn is_inactive(listed: &ListedHook) -> bool {
    listed.hook.status == HookStatus::Inactive
}

fn count_of_leading(number: u64) -> String {
    match number {
        1 => "1 hook leads".to_owned(),
        several => format!("{several} hooks lead"),
    }
}

fn none_leads_here(hooks: &[ListedHook], first: PlaceRef) -> LinkFinding {
    if hooks.is_empty() {
        return LinkFinding::new_broken(
            format!("there is no hook on {first}"),
            "create one with `podtap hooks create 'item.*' URL`, or a temporary one with `podtap \
             listen --on 'item.*' --app ID`",
        );
    }
    let named = hooks.iter().take(MAX_NAMED).map(|listed| {
        let (id, event) = (listed.hook.hook_id, &listed.hook.event);
        format!("{id} ({event}) to {}", listed.verdict.words())
    });
    let mut named: Vec<_> = named.collect();
    if hooks.len() > MAX_NAMED {
        named.push(format!("{} more", hooks.len() - MAX_NAMED));
    }
    LinkFinding::new_broken(
        format!("no hook leads to this tunnel: {}", named.join(", ")),
        "move them with `podtap hooks move APP --to URL` (`podtap url` prints the URL), or \
         temporarily with `podtap hooks adopt APP`",
    )
}

#[cfg(test)]
mod tests {
    use podtap_podio::client::Hook;

    use super::super::finding::LinkMark;
    use super::*;

    fn listed_hook(hook_id: u64, status: HookStatus, verdict: UrlVerdict) -> ListedHook {
        let at = PlaceRef::app(1);
        ListedHook {
            place: Place { at, name: None },
            hook: Hook {
                hook_id,
                status,
                event: "item.create".to_owned(),
                url: String::new(),
                created_on: None,
                created_by: None,
                created_via: None,
            },
            made_here: false,
            standing: None,
            verdict,
        }
    }

    fn judge_hooks(
        hooks: Vec<ListedHook>,
        places: &[u64],
        tunnel_is_known: bool,
    ) -> (LinkMark, String) {
        let listed = ListedHooks {
            hooks,
            places: places.iter().copied().map(PlaceRef::app).collect(),
            failed: Vec::new(),
        };
        let (Ok(found) | Err(found)) = judge(&listed, tunnel_is_known);
        (found.mark, found.detail)
    }

    #[test]
    fn each_state_of_the_hooks_has_its_words() {
        use HookStatus::{Active, Inactive};
        use UrlVerdict::{OtherTunnel, Ours};
        for (hooks, places, known, mark, words) in [
            (vec![], &[][..], true, LinkMark::Skipped, "no app is known"),
            (
                vec![],
                &[1],
                true,
                LinkMark::Broken,
                "there is no hook on app 1",
            ),
            (
                vec![listed_hook(7, Active, Ours)],
                &[1],
                true,
                LinkMark::Good,
                "1 hook leads",
            ),
            (
                vec![listed_hook(7, Active, Ours)],
                &[1],
                false,
                LinkMark::Skipped,
                "1 hook found",
            ),
            (
                vec![listed_hook(7, Active, Ours), listed_hook(8, Inactive, Ours)],
                &[1],
                true,
                LinkMark::Broken,
                "the hook 8 (item.create) is not active",
            ),
            (
                vec![listed_hook(7, Active, OtherTunnel)],
                &[1],
                true,
                LinkMark::Broken,
                "no hook leads to this tunnel: 7 (item.create) to another tunnel",
            ),
            // An unverified hook that leads elsewhere is not a concern of this tunnel.
            (
                vec![
                    listed_hook(7, Active, Ours),
                    listed_hook(8, Inactive, OtherTunnel),
                ],
                &[1],
                true,
                LinkMark::Good,
                "1 hook leads to this tunnel, all active",
            ),
        ] {
            let (found, detail) = judge_hooks(hooks, places, known);
            assert!(
                found == mark && detail.contains(words),
                "{found:?} {detail}"
            );
        }
    }
}
