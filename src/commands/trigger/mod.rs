//! `podtap trigger`: sends an event to the local service, or through the relay, without Podio.

mod send;
mod way;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::Target;
use podtap_agent::draft::{Draft, NoForm, Params, nearest};
use podtap_agent::figures::DOCTOR;
use podtap_agent::routes::Routes;
use podtap_podio::{Confidence, EventType};
use tokio::time::MissedTickBehavior;

use self::way::{SendMode, SentEvent};
use super::history::{find, load, open};
use crate::cli::TriggerArgs;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure, Warning};
use crate::output::json::JsonObject;
use crate::output::{lines, note, print, printable};
use crate::running::RunState;
use crate::shutdown::Shutdown;
use crate::style::LineStyle;

/// Maximum size of a body file in bytes: more than a relay accepts by default.
const MAX_BODY: u64 = 64 * 1024 * 1024;

/// Sends the event the requested number of times.
pub(crate) async fn run(trigger: TriggerArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let receiver = Receiver::of(&trigger, settings)?;
    let mut draft = draft(&trigger, settings).await?;
    if let Some(path) = &trigger.path {
        draft.request.path.clone_from(path);
    }
    let way = SendMode::of(&receiver, &draft, &trigger, settings)?;
    let look = settings.line_style()?;
    tokio::select! {
        () = shutdown.token().cancelled() => {}
        sent = send_all(&way, draft, &receiver, &trigger, &look) => sent?,
    }
    way.close().await?;
    Ok(shutdown.exit_code())
}

/// The receiver of the event, and the exit code if it cannot be reached.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// The routes that an event of Podio would use.
    routes: Routes,
    name: &'static str,
    away: Code,
}

impl Receiver {
    fn of(trigger: &TriggerArgs, settings: &Settings) -> Result<Self, Failure> {
        if let Some(tunnel) = &trigger.through_relay {
            return Ok(Self {
                routes: Routes::to(Some(tunnel.clone())),
                name: "relay",
                away: Code::Unreachable,
            });
        }
        let set = if settings.is_typed(Key::FORWARD_TO) {
            Routes::to(settings.target()?)
        } else {
            settings.all_routes()?
        };
        let routes = if set.targets().is_empty() {
            running_routes(settings).unwrap_or_default()
        } else {
            set
        };
        if routes.targets().is_empty() {
            return Err(Failure::usage("no local service given")
                .hint("add --to 3000, or start `podtap listen 3000` first"));
        }
        Ok(Self {
            routes,
            name: "local service",
            away: Code::ServiceFailed,
        })
    }

    /// Returns the only target, if it is a service that gets every event.
    fn service(&self) -> Option<&Target> {
        let rest = self.routes.rest().filter(|rest| rest.url().is_some());
        rest.filter(|_| self.routes.list().is_empty())
    }
}

/// Returns the routes of this tunnel's running agent.
fn running_routes(settings: &Settings) -> Option<Routes> {
    let running = RunState::now(&settings.history().ok()?)?;
    Some(running.parse_routes(&settings.filters(Timestamp::now()).ok()?))
}

async fn draft(trigger: &TriggerArgs, settings: &Settings) -> Result<Draft, Failure> {
    if let Some(file) = &trigger.body_file {
        return Ok(Draft::of_body(read(file)?));
    }
    let mut words = trigger.event.iter().chain(&trigger.params);
    let Some(id) = &trigger.from else {
        let event = words.next().map(String::as_str).unwrap_or_default();
        note_unknown(event, settings)?;
        let order = getrandom::u64().map_err(|error| {
            Failure::because("cannot get random numbers from the system", &error)
        })?;
        return Ok(Draft::of_type(event, params(words)?, order));
    };
    let history = open(settings)?;
    let event = load(&history, find(&history, id).await?).await?;
    Draft::of_event(event, params(words)?)
        .map_err(|error: NoForm| Failure::usage(error.to_string()).fact("event", id.clone()))
}

fn params<'a>(words: impl Iterator<Item = &'a String>) -> Result<Params, Failure> {
    let pair = |word: &String| {
        let (name, value) = word
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| {
                Failure::usage(format!("`{}` is not a parameter", printable(word)))
                    .hint("write it as key=value, such as item_id=4711")
            })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.map(pair).collect()
}

/// Notes an unknown event type. It is sent anyway: Podio may have added it since.
fn note_unknown(event: &str, settings: &Settings) -> Result<(), Failure> {
    if event.parse::<EventType>().is_ok() {
        return Ok(());
    }
    let what = format!("`{event}` is not a known Podio event type; it is sent as it is");
    let warning = Warning::new(what);
    settings.report(match nearest(event) {
        Some(near) => warning.hint(format!("did you mean {}?", near.as_str())),
        None => warning,
    })
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |why: String| {
        Failure::usage("the body cannot be read")
            .fact("file", file.display().to_string())
            .fact("why", why)
    };
    let body = if file.as_os_str() == "-" {
        let mut body = Vec::new();
        let source = std::io::stdin().lock();
        let read = source.take(MAX_BODY + 1).read_to_end(&mut body);
        read.map(|_| body)
    } else {
        crate::file::read(file, MAX_BODY)
    };
    let body = body.map_err(|error| wrong(error.to_string()))?;
    if body.len() as u64 > MAX_BODY {
        return Err(wrong(format!("it has more than {MAX_BODY} bytes")));
    }
    Ok(body)
}

/// Sends all events. An error response does not stop the rest; an unreachable receiver does.
async fn send_all(
    way: &SendMode,
    mut draft: Draft,
    receiver: &Receiver,
    trigger: &TriggerArgs,
    look: &LineStyle,
) -> Result<(), Failure> {
    let mut pace = trigger.rate.map(|rate| {
        let mut pace = tokio::time::interval(Duration::from_secs_f64(rate.recip()));
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pace
    });
    let mut errors = 0_u32;
    for _ in 0..trigger.repeat {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        draft.request.received_at = Timestamp::now();
        let SentEvent {
            id,
            url,
            summary: sent,
        } = way.send(&draft.request).await?;
        if trigger.json {
            print(&JsonObject::from_trigger(id, draft.event(), &url, &sent).to_line())?;
        } else {
            let (request, podio) = (&draft.request, draft.podio.as_ref());
            print(&lines::triggered_event(request, podio, &sent, look))?;
        }
        match sent.outcome {
            Ok(status) => errors += u32::from(status >= 400),
            Err(why) => {
                let what = format!("the {} did not answer: {}", receiver.name, printable(&why));
                return Err(Failure::new(receiver.away, what)
                    .fact("url", printable(&url))
                    .hint(format!("start it, or choose another; {DOCTOR}")));
            }
        }
    }
    if errors == 0 {
        return Ok(());
    }
    let (name, count) = (receiver.name, trigger.repeat);
    Err(Failure::new(
        Code::ServiceFailed,
        format!("the {name} answered {errors} of {count} with an error"),
    ))
}

/// Lists every event type with its parameters: optional ones in brackets, guessed ones marked.
pub(super) fn list() -> Result<ExitCode, Failure> {
    for event in EventType::ALL {
        let spec = event.spec();
        let names = spec.parameters.iter().map(|parameter| {
            let guessed = parameter.confidence == Confidence::Inferred;
            let name = format!("{}{}", parameter.name, if guessed { "?" } else { "" });
            if parameter.optional {
                format!("[{name}]")
            } else {
                name
            }
        });
        let names = names.collect::<Vec<_>>().join(" ");
        print(&format!(
            "{:14}  {names:40}  {}",
            event.as_str(),
            spec.summary
        ))?;
    }
    note("\n[ ] may be missing   ? a guess: Podio does not document it");
    Ok(ExitCode::SUCCESS)
}
