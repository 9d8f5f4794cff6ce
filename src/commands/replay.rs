//! `podtap replay`: sends events of the history to the local service again.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use podtap_agent::NO_TARGET_YET;
use podtap_agent::compare::AnswerChange;
use podtap_agent::export::json::AttemptObject;
use podtap_agent::figures::DOCTOR;
use podtap_agent::history::{Attempt, EditedRequest, Event, Outcome};
use podtap_agent::routes::Routes;
use podtap_agent::{Agent, AgentHandle, Replay as Request, Target};
use podtap_tui::editor::{EditorResult, edit};
use podtap_wire::EventId;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::events::{nothing_matches, parse_filter};
use super::history::{browser, find, load, run_browser};
use crate::cli::ReplayArgs;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure};
use crate::output::question::{ask, event_count};
use crate::output::{lines, note, print, printable};
use crate::running::RunningAgent;
use crate::shutdown::Shutdown;
use crate::style::LineStyle;
use crate::tasks::Tasks;

/// Maximum number of events that one filter replays: a mistake must not take a day.
const MAX_EVENTS: usize = 100_000;

/// Above this number of events, the person must confirm.
const ASKS_ABOVE: usize = 100;

/// Replays the events one after the other, oldest first.
pub(crate) async fn run(replay: ReplayArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let (agent, handle) = replayer(replay.to.is_some(), settings)?;
    let ids = select_events(&replay, &handle, settings).await?;
    if replay.dry_run {
        let told = dry_run(&handle, &ids).await;
        let token = CancellationToken::new();
        token.cancel();
        run_browser(agent, token).await?;
        return told.map(|()| ExitCode::SUCCESS);
    }
    if ids.len() > ASKS_ABOVE && !replay.yes && !confirm(ids.len())? {
        note("nothing was sent");
        return Ok(ExitCode::SUCCESS);
    }
    let mut tasks = Tasks::new(shutdown.token().clone());
    tasks.start(run_browser(agent, tasks.token()));
    let (token, look) = (tasks.token(), settings.line_style()?);
    let sending = ReplayPlan {
        editor: replay.edit.then(|| settings.editor()),
        pause: replay
            .rate
            .map(|rate| Duration::from_secs_f64(rate.recip())),
        json: replay.json,
        yes: replay.yes,
        look,
    };
    tasks.start(async move {
        let mut tally = ReplayTally::of(ids.len());
        let ended = tokio::select! {
            () = token.cancelled() => Ok(()),
            sent = send_all(&handle, ids, &sending, &mut tally) => sent,
        };
        tally.report();
        ended?;
        tally.verdict()
    });
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

/// How the events are sent.
struct ReplayPlan {
    editor: Option<String>,
    /// Time between the starts of two events.
    pause: Option<Duration>,
    json: bool,
    yes: bool,
    look: LineStyle,
}

/// The outcomes so far.
struct ReplayTally {
    wanted: usize,
    sent: usize,
    by_status: BTreeMap<u16, usize>,
}

impl ReplayTally {
    fn of(wanted: usize) -> Self {
        Self {
            wanted,
            sent: 0,
            by_status: BTreeMap::new(),
        }
    }

    /// Prints how many events were sent and their outcomes, if there are several.
    fn report(&self) {
        if self.wanted < 2 {
            return;
        }
        let statuses = self.by_status.iter();
        let answers = statuses.map(|(status, count)| format!("{count} answered {status}"));
        let answers: Vec<String> = answers.collect();
        let colon = if answers.is_empty() { "" } else { ": " };
        let (sent, wanted) = (self.sent, self.wanted);
        note(&format!(
            "{sent} of {wanted} sent{colon}{}",
            answers.join(", ")
        ));
    }

    fn verdict(&self) -> Result<(), Failure> {
        let errors: usize = self.by_status.range(400..).map(|(_, count)| count).sum();
        if errors == 0 {
            return Ok(());
        }
        Err(Failure::new(
            Code::ServiceFailed,
            format!(
                "the local service answered {errors} of {} with an error",
                self.wanted
            ),
        ))
    }
}

/// Prints which events would be sent, and where.
async fn dry_run(handle: &AgentHandle, ids: &[EventId]) -> Result<(), Failure> {
    for id in ids {
        let event = load(handle.history(), *id).await?;
        let method = &event.request.method;
        for target in targets_of(handle, &event).await? {
            let url = target.with_path(&event.request.path);
            print(&printable(&format!("{id}  {method} {url}")))?;
        }
    }
    note(&format!(
        "{} would be sent; nothing was sent",
        event_count(ids.len() as u64)
    ));
    Ok(())
}

/// Asks before that many events are sent.
fn confirm(count: usize) -> Result<bool, Failure> {
    let events = event_count(count as u64);
    let answer = ask(&format!("Send {events} again?"))?;
    answer.ok_or_else(|| {
        Failure::usage(format!("sending {events} again needs a confirmation"))
            .hint("add --yes, or --dry-run to list them")
    })
}

async fn select_events(
    replay: &ReplayArgs,
    handle: &AgentHandle,
    settings: &Settings,
) -> Result<Vec<EventId>, Failure> {
    let history = handle.history();
    let Some(filter) = &replay.filter else {
        let mut ids = Vec::with_capacity(replay.ids.len());
        for text in &replay.ids {
            ids.push(find(history, text).await?);
        }
        return Ok(ids);
    };
    let wanted = parse_filter(filter, settings)?;
    let events = history.find_newest(wanted.clone(), MAX_EVENTS).await?;
    if events.is_empty() {
        return Err(nothing_matches(filter, &wanted));
    }
    Ok(events.iter().map(|event| event.id).collect())
}

/// Sends all events. An error response does not stop the rest; an unreachable local service does.
async fn send_all(
    handle: &AgentHandle,
    ids: Vec<EventId>,
    sending: &ReplayPlan,
    tally: &mut ReplayTally,
) -> Result<(), Failure> {
    let mut pace = sending.pace();
    for id in ids {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        let event = load(handle.history(), id).await?;
        let targets = targets_of(handle, &event).await?;
        let edited = match &sending.editor {
            None => None,
            Some(editor) => match edit_request(editor, &event, sending.yes).await? {
                Some(edited) => Some(edited),
                None => continue,
            },
        };
        for target in targets {
            let request = Request {
                event: id,
                target: Some(target),
                edited: edited.clone(),
            };
            send(handle, &event, request, sending, tally).await?;
        }
        tally.sent += 1;
    }
    Ok(())
}

/// Sends one event to one target.
async fn send(
    handle: &AgentHandle,
    event: &Event,
    request: Request,
    sending: &ReplayPlan,
    tally: &mut ReplayTally,
) -> Result<(), Failure> {
    let attempt = handle
        .replay(request)
        .await
        .map_err(|error| Failure::because("the event cannot be replayed", &error))?;
    let all = handle.history().attempts(event.id).await?;
    let change = AnswerChange::of(&attempt, &all);
    if sending.json {
        let object = AttemptObject::from(&attempt).with_hint(DOCTOR);
        print(&object.with_change(change).to_line())?;
    } else {
        print(&lines::attempt(event, &attempt, &sending.look))?;
        if let Some(change) = change {
            note(&format!("  {}", change.words()));
        }
    }
    match &attempt.outcome {
        Outcome::Failed { error } => return Err(no_answer(&attempt, error)),
        Outcome::Answered { status, .. } => *tally.by_status.entry(*status).or_default() += 1,
    }
    Ok(())
}

impl ReplayPlan {
    fn pace(&self) -> Option<Interval> {
        self.pause.map(|pause| {
            let mut pace = tokio::time::interval(pause);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pace
        })
    }
}

/// Opens an event in the person's editor. Returns
/// `None`, after a message, if nothing is to be sent.
async fn edit_request(
    editor: &str,
    event: &Event,
    yes: bool,
) -> Result<Option<EditedRequest>, Failure> {
    let edited = edit(editor, &Key::secret_variables(), &event.request).await;
    let edited = edited.map_err(|why| Failure::new(Code::Failed, printable(&why)))?;
    let Some(EditorResult {
        request,
        difference,
    }) = edited
    else {
        note("nothing was sent: the request is unchanged or empty");
        return Ok(None);
    };
    for line in difference {
        note(&line);
    }
    if !yes && ask("Send this?")? == Some(false) {
        note("nothing was sent");
        return Ok(None);
    }
    Ok(Some(request))
}

pub(super) fn no_answer(attempt: &Attempt, error: &str) -> Failure {
    Failure::new(
        Code::ServiceFailed,
        format!("the local service did not answer: {error}"),
    )
    .fact("url", printable(&attempt.url))
    .hint(format!("start it, or choose another with --to; {DOCTOR}"))
}

/// Opens an agent that replays to the target in the settings. Without one, it replays
/// where the tunnel's running agent delivers, if that agent has routes or a command.
fn replayer(is_told: bool, settings: &Settings) -> Result<(Agent, AgentHandle), Failure> {
    let own = if is_told {
        Routes::to(settings.target()?)
    } else {
        settings.all_routes()?
    };
    let own = Arc::new(own);
    let (agent, handle) = browser(settings, &own)?;
    if !own.targets().is_empty() {
        return Ok((agent, handle));
    }
    let seen = handle.status().borrow().clone();
    let beside = RunningAgent::new(settings, own, seen)?;
    let routes = beside.status().routes;
    // If there is neither a route nor a command, an event goes to the service that got it first.
    let is_plain = routes
        .targets()
        .iter()
        .all(|target| target.command().is_none());
    if routes.list().is_empty() && is_plain {
        return Ok((agent, handle));
    }
    let (_, status) = watch::channel(beside.status());
    Ok((agent, handle.with_status_of_another(status)))
}

/// Returns the targets of an event: those of the routes, or else the target of the first attempt.
async fn targets_of(handle: &AgentHandle, event: &Event) -> Result<Vec<Target>, Failure> {
    let targets = handle.targets_of(event).await?;
    if targets.is_empty() {
        let attempts = handle.history().attempts(event.id).await?;
        if attempts
            .iter()
            .any(|attempt| attempt.url.starts_with("exec:"))
        {
            return Err(Failure::usage(
                "this event went to a command, which runs again only if you name it",
            )
            .hint("add --to 'exec:./handler.sh', or start podtap listen --exec"));
        }
        return Err(Failure::usage(NO_TARGET_YET).hint("add --to PORT or --to URL"));
    }
    Ok(targets)
}
