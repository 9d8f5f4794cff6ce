//! `podtap hooks`: manages the hooks of apps, fields and spaces in Podio.

mod create;
mod listing;
mod moved_file;
mod moving;
mod several;

use std::process::ExitCode;

use podtap_agent::hooks::plan;
use podtap_agent::{HookFacts, HooksConfig, PlaceRef, draft};

use super::podio::{base_url, known_client};
use crate::cli::{HookTargets, HooksArgs, HooksCommand};
use crate::config::{Key, Settings};
use crate::failure::Failure;

/// Runs a subcommand of `hooks`.
pub(crate) async fn run(command: HooksCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    let client = known_client(settings)?;
    match command {
        HooksCommand::List { on, json, .. } => {
            let facts = listing::facts(settings).await?;
            listing::list(&client, &targets(&on, settings)?, &facts, json).await?;
        }
        HooksCommand::Create {
            on,
            event,
            url,
            json,
        } => {
            create::check(&url, settings)?;
            let places = targets(&on, settings)?;
            // A new hook has no events in the history yet.
            let facts = HookFacts::without_history(&base_url(settings)?);
            create::create(&client, &places, &facts, &event, &url, json).await?;
        }
        HooksCommand::Verify { hook_ids } => several::verify(&client, &hook_ids).await?,
        HooksCommand::Delete { hook_ids } => several::delete(&client, &hook_ids).await?,
        HooksCommand::Move(command) => {
            return moving::run(&client, command, settings).await;
        }
        HooksCommand::Adopt(command) => {
            return moving::adopt(&client, command, settings).await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the objects on the command line, or else the app whose credentials are set.
pub(super) fn targets(on: &HookTargets, settings: &Settings) -> Result<Vec<PlaceRef>, Failure> {
    let apps = on.app.iter().copied().map(PlaceRef::app);
    let fields = on.field.iter().copied().map(PlaceRef::field);
    let spaces = on.space.iter().copied().map(PlaceRef::space);
    let mut places: Vec<PlaceRef> = apps.chain(fields).chain(spaces).collect();
    if places.is_empty() {
        places.extend(settings.number(Key::PODIO_APP_ID)?.map(PlaceRef::app));
    }
    if places.is_empty() {
        return Err(Failure::usage("no app, field or space given")
            .hint("add --app ID, --field ID or --space ID"));
    }
    Ok(places)
}

/// Returns the hooks that `listen` creates for as long as it runs; `None` if there are none.
pub(super) fn config(
    hooks: &HooksArgs,
    settings: &Settings,
) -> Result<Option<HooksConfig>, Failure> {
    let asked =
        !(hooks.at.app.is_empty() && hooks.at.field.is_empty() && hooks.at.space.is_empty());
    let on = match &hooks.on {
        Some(on) => on,
        None if asked => {
            return Err(Failure::usage("no event types given")
                .hint("add --on, such as --on 'item.*,comment.create'"));
        }
        None => return Ok(None),
    };
    known_client(settings)?;
    let mut wanted = Vec::new();
    for place in targets(&hooks.at, settings)? {
        let planned = plan(place, on);
        wanted.extend(planned.map_err(|error| Failure::usage(error.to_string()))?);
    }
    let path = hooks
        .hook_path
        .clone()
        .unwrap_or_else(|| draft::PATH.to_owned());
    // The host does not matter: the path follows any tunnel's URL.
    create::warn_of_query(&format!("https://podtap.invalid{path}"));
    Ok(Some(HooksConfig {
        wanted,
        path,
        keep: hooks.keep_hooks,
        optional: hooks.hooks_optional,
    }))
}
