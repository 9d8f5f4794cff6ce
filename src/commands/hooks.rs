//! `podtap hooks`: the hooks of apps, fields and spaces, as Podio has them.

use std::process::ExitCode;

use podtap_agent::export::json::text::to_line;
use podtap_agent::hooks::plan;
use podtap_agent::{HookStanding, HookUrls, HooksConfig, PlaceRef};
use podtap_podio::client::{Client, Hook, HookStatus};
use podtap_podio::{EventType, RefType};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::history::{browser, run_browser};
use super::podio::{base_url, known_client};
use crate::cli::{HookTargets, Hooks, HooksCommand};
use crate::config::{Key, Settings};
use crate::failure::Failure;
use crate::output::{print, printable};

/// Runs one of them.
pub(crate) async fn run(command: HooksCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    let client = known_client(settings)?;
    match command {
        HooksCommand::List { on, json, .. } => {
            let known = Known::read(settings).await?;
            list(&client, &targets(&on, settings)?, &known, json).await?;
        }
        HooksCommand::Create {
            on,
            event,
            url,
            json,
        } => {
            create(&client, &targets(&on, settings)?, &event, &url, json).await?;
        }
        HooksCommand::Verify { hook_ids } => {
            for hook_id in hook_ids {
                client.request_hook_verification(hook_id).await?;
                print(&format!("Podio sends hook {hook_id} a hook.verify"))?;
            }
        }
        HooksCommand::Delete { hook_ids } => {
            for hook_id in hook_ids {
                client.delete_hook(hook_id).await?;
                print(&format!("Deleted hook {hook_id}"))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is known of hooks without asking Podio.
struct Known {
    /// What Podio would have concluded of each, where this tunnel has a history to tell it from.
    standings: Vec<HookStanding>,
    urls: HookUrls,
}

impl Known {
    async fn read(settings: &Settings) -> Result<Self, Failure> {
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
struct Judged {
    standing: Option<&'static str>,
    verdict: Option<&'static str>,
}

/// An object that takes hooks.
pub(super) type Holder = (RefType, u64);

/// The objects named on the command line, else the app whose credentials are set.
pub(super) fn targets(on: &HookTargets, settings: &Settings) -> Result<Vec<Holder>, Failure> {
    let of = |ref_type: RefType, ids: &[u64]| -> Vec<Holder> {
        ids.iter().map(|id| (ref_type, *id)).collect()
    };
    let mut holders = of(RefType::App, &on.app);
    holders.extend(of(RefType::AppField, &on.field));
    holders.extend(of(RefType::Space, &on.space));
    if holders.is_empty() {
        holders.extend(
            settings
                .number(Key::PODIO_APP_ID)?
                .map(|id| (RefType::App, id)),
        );
    }
    if holders.is_empty() {
        return Err(Failure::usage("hooks of which app, field or space?")
            .hint("name it with --app, --field or --space"));
    }
    Ok(holders)
}

/// The hooks that `listen` makes for as long as it runs; `None` where none are asked for.
pub(super) fn wanted(hooks: &Hooks, settings: &Settings) -> Result<Option<HooksConfig>, Failure> {
    let asked =
        !(hooks.at.app.is_empty() && hooks.at.field.is_empty() && hooks.at.space.is_empty());
    let on = match &hooks.on {
        Some(on) => on,
        None if asked => {
            return Err(Failure::usage("which events should call?")
                .hint("name them with --on, such as --on 'item.*,comment.create'"));
        }
        None => return Ok(None),
    };
    known_client(settings)?;
    let mut wanted = Vec::new();
    for (ref_type, ref_id) in targets(&hooks.at, settings)? {
        let planned = plan(PlaceRef { ref_type, ref_id }, on);
        wanted.extend(planned.map_err(|error| Failure::usage(error.to_string()))?);
    }
    let path = hooks
        .hook_path
        .clone()
        .unwrap_or_else(|| "/podio/hook".to_owned());
    Ok(Some(HooksConfig {
        wanted,
        path,
        keep: hooks.keep_hooks,
    }))
}

async fn list(
    client: &Client,
    holders: &[Holder],
    known: &Known,
    json: bool,
) -> Result<(), Failure> {
    for holder in holders {
        for hook in client.hooks(holder.0, holder.1).await? {
            let mut standings = known.standings.iter();
            let standing = standings.find(|known| known.hook_id == hook.hook_id);
            let judged = Judged {
                standing: standing.map(HookStanding::conclusion),
                verdict: known.urls.verdict(&hook.url).word(),
            };
            print(&if json {
                object(*holder, &hook, &judged)
            } else {
                line(*holder, &hook, &judged)
            })?;
        }
    }
    Ok(())
}

async fn create(
    client: &Client,
    holders: &[Holder],
    event: &str,
    url: &str,
    json: bool,
) -> Result<(), Failure> {
    let event: EventType = event
        .parse()
        .map_err(|error| Failure::because("no hook", &error))?;
    for (ref_type, ref_id) in holders {
        let hook_id = client.create_hook(*ref_type, *ref_id, url, event).await?;
        let hook = Hook {
            hook_id,
            status: HookStatus::Inactive,
            event: event.as_str().to_owned(),
            url: url.to_owned(),
            created_on: None,
            created_by: None,
            created_via: None,
        };
        let holder = (*ref_type, *ref_id);
        print(&if json {
            object(holder, &hook, &Judged::default())
        } else {
            line(holder, &hook, &Judged::default())
        })?;
    }
    Ok(())
}

fn line((ref_type, ref_id): Holder, hook: &Hook, judged: &Judged) -> String {
    let holder = format!("{ref_type} {ref_id}");
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

fn object((ref_type, ref_id): Holder, hook: &Hook, judged: &Judged) -> String {
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
        ref_type: ref_type.as_str(),
        ref_id: ref_id.to_string(),
        created_on: hook.created_on.as_deref(),
        standing: judged.standing,
        url_verdict: judged.verdict,
    };
    to_line(&object)
}
