//! `podtap hooks move` and `adopt`: move the hooks of an app to another URL at once,
//! and back. Podio cannot change a hook's URL (podio.md 2): another hook is created
//! and verified, and only then is the old one deleted, so no event is lost in between.

use std::process::ExitCode;
use std::time::Duration;

use podtap_agent::PlaceRef;
use podtap_agent::routes::Routes;
use podtap_podio::EventType;
use podtap_podio::client::{Client, Hook, HookStatus};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::create::check;
use super::moved_file::{MovedFile, MovedHook};
use super::several::Results;
use super::targets;
use crate::cli::{AdoptHooks, HookTargets, MoveHooks};
use crate::commands::history::{browser, run_browser};
use crate::commands::podio::base_url;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::{print, printable};
use crate::shutdown::Shutdown;

/// Pauses between checks whether new hooks are verified; their sum is the maximum time.
const LOOKS: [Duration; 8] = [
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(6),
    Duration::from_secs(8),
    Duration::from_secs(8),
];

/// Moves hooks, or moves them back.
pub(super) async fn run(
    client: &Client,
    command: MoveHooks,
    settings: &Settings,
) -> Result<ExitCode, Failure> {
    let mover = Mover::new(client, settings)?;
    if command.undo {
        let named = with_apps(&command.apps, command.on);
        let only = if named.is_empty() {
            Vec::new()
        } else {
            targets(&named, settings)?
        };
        mover.undo(&only).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let to = command.to.unwrap_or_default();
    check(&to, settings)?;
    let places = targets(&with_apps(&command.apps, command.on), settings)?;
    mover.all(&places, &to, command.exact).await?;
    print("`podtap hooks move --undo` moves them back")?;
    Ok(ExitCode::SUCCESS)
}

/// Moves hooks to this tunnel until the command ends.
pub(super) async fn adopt(
    client: &Client,
    command: AdoptHooks,
    settings: &Settings,
) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let Some(to) = tunnel_url(settings).await? else {
        return Err(Failure::usage("this tunnel's public URL is not known yet")
            .hint("run `podtap listen` first, and leave it running"));
    };
    check(&to, settings)?;
    let places = targets(&with_apps(&command.apps, command.on), settings)?;
    let mover = Mover::new(client, settings)?;
    let moved = mover.all(&places, &to, false).await;
    if command.keep_hooks || moved.is_err() {
        print("`podtap hooks move --undo` moves them back")?;
        return moved.map(|()| ExitCode::SUCCESS);
    }
    print("The hooks lead to this tunnel until you end this command (ctrl-c)")?;
    shutdown.token().cancelled().await;
    mover.undo(&places).await?;
    Ok(shutdown.exit_code())
}

fn with_apps(apps: &[u64], on: HookTargets) -> HookTargets {
    let mut named = on;
    named.app.extend(apps);
    named
}

impl HookTargets {
    fn is_empty(&self) -> bool {
        self.app.is_empty() && self.field.is_empty() && self.space.is_empty()
    }
}

async fn tunnel_url(settings: &Settings) -> Result<Option<String>, Failure> {
    let (agent, handle) = browser(settings, &Routes::default())?;
    let url = handle.tunnel_url().await;
    // Cancelled at once: this closes the history.
    let done = CancellationToken::new();
    done.cancel();
    run_browser(agent, done).await?;
    Ok(url?)
}

struct Mover<'a> {
    client: &'a Client,
    api: String,
    file: MovedFile,
}

/// A hook that is being moved.
struct Step {
    place: PlaceRef,
    event: EventType,
    old: Hook,
    new_id: u64,
}

impl<'a> Mover<'a> {
    fn new(client: &'a Client, settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            client,
            api: base_url(settings)?.as_str().to_owned(),
            file: MovedFile::of(settings)?,
        })
    }

    /// Moves every hook of these places that does not lead to `to` yet.
    async fn all(&self, places: &[PlaceRef], to: &str, exact: bool) -> Result<(), Failure> {
        let mut results = Results::default();
        for place in places {
            self.on(*place, to, exact, &mut results).await?;
        }
        results.into_one("some hooks were not moved")
    }

    async fn on(
        &self,
        place: PlaceRef,
        to: &str,
        exact: bool,
        results: &mut Results,
    ) -> Result<(), Failure> {
        let hooks = match self.client.hooks(place.ref_type, place.ref_id).await {
            Ok(hooks) => hooks,
            Err(error) => {
                results.note_failure(place.to_string(), error.into());
                return Ok(());
            }
        };
        let mut steps = Vec::new();
        for old in hooks.iter().filter(|hook| !hook.url.starts_with(to)) {
            let what = format!("hook {}", old.hook_id);
            let Some((event, url)) = old.event.parse().ok().zip(destination(&old.url, to, exact))
            else {
                let odd = Failure::new(Code::Failed, "its type or URL is unknown to podtap");
                results.note_failure(what, odd);
                continue;
            };
            let created = self
                .client
                .create_hook(place.ref_type, place.ref_id, &url, event);
            match created.await {
                Ok(new_id) => {
                    let moved = MovedHook::new(&self.api, place, event, &old.url, new_id);
                    self.remember(moved)?;
                    steps.push(Step {
                        place,
                        event,
                        old: old.clone(),
                        new_id,
                    });
                }
                Err(error) => results.note_failure(what, error.into()),
            }
        }
        let active = self.wait_for_verified(place, &steps).await;
        for step in steps {
            self.finish(step, &active, results).await?;
        }
        Ok(())
    }

    /// Deletes the old hook if the new one is active. If the new one is
    /// not active, or the old one cannot be deleted, deletes the new one.
    async fn finish(
        &self,
        step: Step,
        active: &[u64],
        results: &mut Results,
    ) -> Result<(), Failure> {
        let Step {
            place,
            event,
            old,
            new_id,
        } = step;
        let kept = if active.contains(&new_id) {
            match self.client.delete_hook(old.hook_id).await {
                Ok(()) => {
                    return print(&printable(&format!(
                        "Moved {event} on {place}: hook {} at {} is now hook {new_id}",
                        old.hook_id, old.url
                    )));
                }
                Err(error) => error.into(),
            }
        } else {
            Failure::new(Code::Failed, "the new URL did not verify it in time")
        };
        self.client.delete_hook(new_id).await?;
        self.forget(new_id)?;
        results.note_failure(format!("hook {}", old.hook_id), kept);
        Ok(())
    }

    /// Waits until all new hooks are active or the time is over; returns the active ones.
    async fn wait_for_verified(&self, place: PlaceRef, steps: &[Step]) -> Vec<u64> {
        let mut active = Vec::new();
        for pause in LOOKS {
            if active.len() == steps.len() {
                break;
            }
            tokio::time::sleep(pause).await;
            let Ok(hooks) = self.client.hooks(place.ref_type, place.ref_id).await else {
                continue;
            };
            let is_active = |id: &u64| {
                let mut hooks = hooks.iter();
                hooks.any(|hook| hook.hook_id == *id && hook.status == HookStatus::Active)
            };
            active = steps.iter().map(|step| step.new_id).collect();
            active.retain(is_active);
        }
        active
    }

    /// Moves hooks back; those of all places if none is named.
    async fn undo(&self, only: &[PlaceRef]) -> Result<(), Failure> {
        let mut results = Results::default();
        let mut count = 0_usize;
        for moved in self.file.read()? {
            let (Some(place), Some(event)) = (moved.place(), moved.event()) else {
                continue;
            };
            if moved.api != self.api || !(only.is_empty() || only.contains(&place)) {
                continue;
            }
            count += 1;
            match self.put_back(place, event, &moved).await {
                Ok(hook_id) => {
                    self.forget(moved.hook_id)?;
                    print(&printable(&format!(
                        "Moved {event} on {place} back to {}: hook {hook_id}, which becomes active \
                         when it is verified",
                        moved.from
                    )))?;
                }
                Err(failure) => results.note_failure(format!("hook {}", moved.hook_id), failure),
            }
        }
        if count == 0 {
            return Err(Failure::new(Code::NothingMatched, "no hook was moved"));
        }
        results.into_one("some hooks were not moved back")
    }

    /// Moves one hook back; uses a hook that already exists at the old URL.
    async fn put_back(
        &self,
        place: PlaceRef,
        event: EventType,
        moved: &MovedHook,
    ) -> Result<u64, Failure> {
        let there = self.client.hooks(place.ref_type, place.ref_id).await?;
        let same = |hook: &&Hook| hook.url == moved.from && hook.event == event.as_str();
        let there = there.iter().find(same).map(|hook| hook.hook_id);
        let hook_id = if let Some(hook_id) = there {
            hook_id
        } else {
            let (ref_type, ref_id) = (place.ref_type, place.ref_id);
            let created = self
                .client
                .create_hook(ref_type, ref_id, &moved.from, event);
            created.await?
        };
        self.client.delete_hook(moved.hook_id).await?;
        Ok(hook_id)
    }

    fn remember(&self, moved: MovedHook) -> Result<(), Failure> {
        let mut all = self.file.read()?;
        all.push(moved);
        self.file.write(&all)
    }

    fn forget(&self, hook_id: u64) -> Result<(), Failure> {
        let mut all = self.file.read()?;
        all.retain(|moved| moved.hook_id != hook_id || moved.api != self.api);
        self.file.write(&all)
    }
}

/// Returns the new URL of a hook. Its path and query are appended to `to`, unless `exact`.
fn destination(old: &str, to: &str, exact: bool) -> Option<String> {
    if exact {
        return Some(to.to_owned());
    }
    let old = Url::parse(old).ok()?;
    let mut new = Url::parse(to).ok()?;
    let path = format!("{}{}", new.path().trim_end_matches('/'), old.path());
    new.set_path(&path);
    if old.query().is_some() {
        new.set_query(old.query());
    }
    Some(new.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_of_a_hook_stay_below_the_new_url() {
        let to = "https://relay.example.com/KEY/";
        for (old, new) in [
            (
                "https://crm.example.com/podio/hook?env=prod",
                "https://relay.example.com/KEY/podio/hook?env=prod",
            ),
            ("https://crm.example.com", "https://relay.example.com/KEY/"),
        ] {
            assert_eq!(destination(old, to, false).as_deref(), Some(new));
        }
        assert_eq!(destination("gone", to, false), None);
        assert_eq!(destination("https://a/b", to, true).as_deref(), Some(to));
    }
}
