//! `podtap repair`: finds events that never arrived by asking Podio about
//! the items, adds them to the history and, if requested, sends them.

use std::process::ExitCode;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::export::json::{AttemptObject, millis};
use podtap_agent::history::{Filter, Mark, Outcome};
use podtap_agent::repair::{
    CANNOT_BE_FOUND, LostEvent, MAY_BE_HOOK_FALSE, Repair as Wanted, RepairError, RepairReport,
};
use podtap_agent::{AgentHandle, Target};
use podtap_wire::EventId;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::history::{beside, load, run_browser};
use super::replay::no_answer;
use super::wait::moment;
use crate::cli::RepairArgs;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::json::line;
use crate::output::question::event_count;
use crate::output::{lines, note, print, printable};
use crate::shutdown::Shutdown;
use crate::style::LineStyle;
use crate::tasks::Tasks;

/// Maximum number of events that one repair sends.
const MAX_SENT: usize = 100_000;

/// A period of changes that ends less than this before now leaves none out.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(1);

/// Looks for events that never arrived, and reports what was found and what cannot be found.
pub(crate) async fn run(repair: RepairArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let wanted = parse_wanted(&repair)?;
    let shutdown = Shutdown::register()?;
    let target = settings.target()?;
    let (agent, handle) = beside(settings)?;
    let target = target.or_else(|| handle.status().borrow().target.clone());
    if repair.deliver && target.is_none() {
        let token = CancellationToken::new();
        token.cancel();
        run_browser(agent, token).await?;
        return Err(Failure::usage("there is no local service to send to")
            .hint("add --to PORT or --to URL, or start podtap listen"));
    }
    let style = settings.line_style()?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    tasks.start(run_browser(agent, tasks.token()));
    let token = tasks.token();
    tasks.start(async move {
        let work = async {
            let repaired = handle.repair(wanted).await;
            let repaired = repaired.map_err(|error| impossible(&error))?;
            tell(&repaired, &repair)?;
            if repair.deliver {
                deliver(&handle, target, &repair, &style).await?;
            }
            verdict(&repaired)
        };
        tokio::select! {
            () = token.cancelled() => Ok(()),
            done = work => done,
        }
    });
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

fn parse_wanted(repair: &RepairArgs) -> Result<Wanted, Failure> {
    let since = moment("since", &repair.since)?;
    let until = moment("until", &repair.until)?;
    if since >= until {
        return Err(
            Failure::usage("there is no time between --since and --until")
                .hint("choose an earlier --since, or a later --until"),
        );
    }
    Ok(Wanted {
        since,
        until,
        dry_run: repair.dry_run,
    })
}

fn impossible(error: &RepairError) -> Failure {
    let failure = Failure::because("podtap cannot search for lost events", error);
    match error {
        RepairError::NoPlaces => failure
            .hint("set PODTAP_PODIO_APP_ID, or create hooks with podtap listen --on … --app ID"),
        RepairError::NoTunnel => {
            failure.hint("podtap listen finds it; --name chooses another tunnel")
        }
        RepairError::NoCredentials | RepairError::History(_) => failure,
    }
}

/// Prints what was found, and what a repair cannot find.
fn tell(repaired: &RepairReport, repair: &RepairArgs) -> Result<(), Failure> {
    if repair.json {
        return print(&object(repaired, repair.dry_run));
    }
    for lost in &repaired.lost {
        print(&printable(&words(lost)))?;
    }
    let count = event_count(repaired.lost.len() as u64);
    let items = match repaired.items {
        1 => "1 changed item".to_owned(),
        items => format!("{items} changed items"),
    };
    note(&match (repaired.lost.is_empty(), repair.dry_run) {
        (true, _) => format!("no event is missing for {items}"),
        (false, true) => format!("{count} of {items} never arrived; nothing was added"),
        (false, false) => format!("{count} of {items} never arrived; they are now in the history"),
    });
    if !repaired.lost.is_empty() && !repair.dry_run && !repair.deliver {
        note("podtap repair --deliver sends them to the local service");
    }
    if repaired.lost.iter().any(|lost| !lost.by_hand) {
        note(MAY_BE_HOOK_FALSE);
    }
    if moment("until", &repair.until)? < Timestamp::now() - AT_ONCE {
        let left_out = repaired.left_out(&TimeZone::system());
        note(&format!("{left_out}: --until 0s includes them"));
    }
    note(CANNOT_BE_FOUND);
    for why in &repaired.unfinished {
        note(why);
    }
    Ok(())
}

fn words(lost: &LostEvent) -> String {
    let at = lost.made_at.to_zoned_datetime(TimeZone::system());
    let LostEvent {
        id,
        event,
        item_id,
        revision,
        hook_id,
        by,
        ..
    } = lost;
    let at = at.strftime("%Y-%m-%d %H:%M:%S");
    format!("{id}  {at}  {event}  item {item_id} r{revision}  hook {hook_id}  by {by}")
}

/// Sends repaired events that were never sent, in the order of their changes.
async fn deliver(
    handle: &AgentHandle,
    target: Option<Target>,
    repair: &RepairArgs,
    style: &LineStyle,
) -> Result<(), Failure> {
    let mut refused = 0_usize;
    let ids = unsent_events(handle).await?;
    for id in &ids {
        let event = load(handle.history(), *id).await?;
        let attempt = handle
            .deliver_repaired(*id, target.clone())
            .await
            .map_err(|error| Failure::because("the event cannot be sent", &error))?;
        if repair.json {
            print(&AttemptObject::from(&attempt).to_line())?;
        } else {
            print(&lines::attempt(&event, &attempt, style))?;
        }
        match &attempt.outcome {
            Outcome::Failed { error } => return Err(no_answer(&attempt, error)),
            Outcome::Answered { status, .. } => refused += usize::from(*status >= 400),
        }
    }
    if refused == 0 {
        return Ok(());
    }
    let what = format!(
        "the local service answered {refused} of {} with an error",
        ids.len()
    );
    Err(Failure::new(Code::ServiceFailed, what))
}

/// Returns the repaired events without an attempt, oldest first.
async fn unsent_events(handle: &AgentHandle) -> Result<Vec<EventId>, Failure> {
    let filter = Filter::default().and_marked(Mark::Repaired).and_held();
    let events = handle.history().find_newest(filter, MAX_SENT).await?;
    Ok(events.iter().map(|event| event.id).collect())
}

/// Fails unless all hooks and items were checked.
fn verdict(repaired: &RepairReport) -> Result<(), Failure> {
    if repaired.hooks == 0 && repaired.unfinished.is_empty() {
        let what = "no hook of this tunnel sends item events";
        return Err(Failure::new(Code::NothingMatched, what).hint(
            "podtap hooks list shows the hooks; those of podtap listen --on exist only while it runs",
        ));
    }
    if repaired.unfinished.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Failed, "the search is not complete")
        .fact("why", printable(&repaired.unfinished.join("\n")))
        .hint("run podtap repair again for the rest; it adds nothing twice"))
}

/// Returns the JSON object described in `docs/JSON.md`.
fn object(repaired: &RepairReport, dry_run: bool) -> String {
    #[derive(Serialize)]
    struct RepairObject<'a> {
        since: String,
        until: String,
        dry_run: bool,
        items: u64,
        hooks: usize,
        found: Vec<FoundObject<'a>>,
        unfinished: &'a [String],
        cannot_be_found: [&'static str; 5],
    }
    #[derive(Serialize)]
    struct FoundObject<'a> {
        id: String,
        event: &'static str,
        object: String,
        revision: u64,
        hook_id: String,
        made_at: String,
        by: &'a str,
        maybe_hook_false: bool,
    }
    let found = repaired.lost.iter().map(|lost| FoundObject {
        id: lost.id.to_string(),
        event: lost.event.as_str(),
        object: format!("item {}", lost.item_id),
        revision: lost.revision,
        hook_id: lost.hook_id.to_string(),
        made_at: millis::text(lost.made_at),
        by: &lost.by,
        maybe_hook_false: !lost.by_hand,
    });
    let object = RepairObject {
        since: millis::text(repaired.since),
        until: millis::text(repaired.until),
        dry_run,
        items: repaired.items,
        hooks: repaired.hooks,
        found: found.collect(),
        unfinished: &repaired.unfinished,
        cannot_be_found: [
            "comment.*",
            "task.*",
            "file.change",
            "item.delete",
            "hook=false",
        ],
    };
    line("repair", &object)
}
