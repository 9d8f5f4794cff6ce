//! `podtap hooks`: the hooks of apps, fields and spaces, as Podio has them.

mod create;
mod listing;
mod moved_file;
mod moving;
mod several;

use std::process::ExitCode;

use podtap_agent::hooks::plan;
use podtap_agent::{HooksConfig, PlaceRef};
use podtap_podio::RefType;

use super::podio::known_client;
use crate::cli::{HookTargets, Hooks, HooksCommand};
use crate::config::{Key, Settings};
use crate::failure::Failure;
use listing::Known;

/// Runs one of them.
pub(crate) async fn run(command: HooksCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    let client = known_client(settings)?;
    match command {
        HooksCommand::List { on, json, .. } => {
            let known = Known::read(settings).await?;
            listing::list(&client, &targets(&on, settings)?, &known, json).await?;
        }
        HooksCommand::Create {
            on,
            event,
            url,
            json,
        } => {
            create::check(&url, settings)?;
            create::create(&client, &targets(&on, settings)?, &event, &url, json).await?;
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
        optional: hooks.hooks_optional,
    }))
}
