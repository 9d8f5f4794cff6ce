//! `podtap listen`: a public URL for a local service, and everything that arrives on screen.

use std::process::ExitCode;
use std::time::Duration;

use podtap_agent::figures::DOCTOR;
use podtap_agent::routes::Routes;
use podtap_agent::{Agent, AgentConfig, AgentHandle};
use podtap_connect::reason::chain;
use podtap_wire::Respond;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use super::delivery::delivery;
use super::embedded::{Embedded, RelayPlace};
use super::history::{open_failure, refuse_second};
use super::link::LinkSetup;
use crate::cli::{Listen, UiMode};
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure, Warning};
use crate::output::feed::{self, Feed, FeedFormat};
use crate::output::json::JsonObject;
use crate::output::note;
use crate::running;
use crate::shutdown::Shutdown;
use crate::style::LineStyle;
use crate::tasks::Tasks;

/// Pause before a history is opened again that could not be.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// Listens until a signal, `q`, or an end of the link that no retry can mend.
pub(crate) async fn run(listen: Listen, settings: &Settings) -> Result<ExitCode, Failure> {
    let routes = settings.all_routes()?;
    check_targets(&routes, settings)?;
    let shown = ListenView::of(listen.display.mode(settings.is_dumb()), settings)?;
    refuse_second(settings)?;
    let shutdown = Shutdown::register()?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    let mut link = if let Some(relay) = settings.relay()? {
        if settings.is_typed(Key::PUBLIC_URL) {
            return Err(
                Failure::usage("a relay on a server has a public URL of its own")
                    .fact("relay", relay.as_str())
                    .hint("leave out --public-url, or the relay"),
            );
        }
        LinkSetup::to(relay, settings.tunnel()?, settings)?
    } else {
        let tunnel = settings.tunnel()?;
        let dir = settings.data_dir()?.join(format!("relay-{tunnel}"));
        let place = RelayPlace {
            dir,
            listen: settings.listen()?,
            reserved: ports(&routes),
            public_url: settings.public_url()?,
        };
        let Embedded { relay, link } = Embedded::start(place, tunnel).await?;
        start_relay(&mut tasks, relay);
        LinkSetup::with(link, "this process", settings)?
    };
    link.config.take_over = listen.take_over;
    let relay = link.config.relay.to_string();
    let mut config = agent_config(settings, Some(&link), &routes)?;
    config.podio.hooks = super::hooks::config(&listen.hooks, settings)?;
    let history = config.history.clone();
    let opened = if listen.no_wait {
        open_agent(config).map(Some)
    } else {
        open_in_time(config, &shown, shutdown.token()).await
    };
    let Some((agent, handle)) = opened? else {
        tasks.finish().await?;
        return Ok(shutdown.exit_code());
    };
    let web = super::web::serve(&mut tasks, settings, &handle).await?;
    // What the agent finds at its start is shown, too.
    let shown = shown.open(handle.clone(), None, web).await?;
    run_agent(&mut tasks, agent, link);
    tasks.start(running::publish(history, handle.clone(), tasks.token()));
    if listen.no_wait {
        first_connection(&handle, &relay, shutdown.token()).await?;
    }
    show(&mut tasks, handle, shown);
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

/// Whether events can go to these targets, or to none.
fn check_targets(routes: &Routes, settings: &Settings) -> Result<(), Failure> {
    let far = routes.targets().iter().filter(|target| !target.is_near());
    for target in far {
        let what = format!("webhooks go to {target}, which is not this machine");
        settings.report(
            Warning::new(what).hint("name a port for a service here: podtap listen 3000"),
        )?;
    }
    if routes.targets().is_empty() && settings.respond()? == Respond::Local {
        return Err(Failure::usage("--respond local needs a local service")
            .hint("name it: podtap listen 3000 --respond local"));
    }
    Ok(())
}

/// The ports of the targets, which nothing of this process may take.
pub(super) fn ports(routes: &Routes) -> Vec<u16> {
    let targets = routes.targets().iter();
    let ports = targets.filter_map(|target| target.url().port_or_known_default());
    ports.collect()
}

/// Adds a relay of this process to the tasks.
pub(super) fn start_relay(tasks: &mut Tasks, relay: podtap_relay::BoundRelay) {
    let token = tasks.token();
    tasks.start(async move {
        relay
            .run(token)
            .await
            .map_err(|error| Failure::because("the relay ended", &error))
    });
}

/// Opens an agent as soon as that is possible: what is wrong with its history may pass. None where
/// the token is cancelled first.
async fn open_in_time(
    config: AgentConfig,
    shown: &ListenView,
    token: &CancellationToken,
) -> Result<Option<(Agent, AgentHandle)>, Failure> {
    let path = config.history.clone();
    let mut said = None;
    loop {
        let error = match Agent::open(config.clone()) {
            Ok(opened) => return Ok(Some(opened)),
            Err(error) if error.may_pass() => error,
            Err(error) => return Err(open_failure(&path, &error)),
        };
        // Once for each reason, not for each try.
        let reason = chain(&error);
        if said.as_ref() != Some(&reason) {
            shown.waits(&reason)?;
            said = Some(reason);
        }
        tokio::select! {
            () = token.cancelled() => return Ok(None),
            () = tokio::time::sleep(OPEN_AGAIN) => {}
        }
    }
}

/// Opens an agent; nothing of it runs yet.
pub(super) fn open_agent(config: AgentConfig) -> Result<(Agent, AgentHandle), Failure> {
    let path = config.history.clone();
    Agent::open(config).map_err(|error| open_failure(&path, &error))
}

/// Adds an agent to the tasks.
pub(super) fn run_agent(tasks: &mut Tasks, agent: Agent, link: LinkSetup) {
    let token = tasks.token();
    tasks.start(async move { agent.run(token).await.map_err(|error| link.explain(&error)) });
}

/// How what happens is shown; known before anything starts, so that a mistake in it stops nothing
/// half-way.
pub(super) enum ListenView {
    Nowhere,
    OnScreen(Box<podtap_tui::UiConfig>),
    AsLines(FeedFormat, LineStyle),
}

impl ListenView {
    /// Says why nothing can be taken yet.
    fn waits(&self, reason: &str) -> Result<(), Failure> {
        if let Self::AsLines(FeedFormat::Json, _) = self {
            return feed::print_object(&JsonObject::waits(reason));
        }
        note(&format!("Not connected yet: {reason}; trying again"));
        Ok(())
    }

    pub(super) fn of(mode: UiMode, settings: &Settings) -> Result<Self, Failure> {
        Ok(match mode {
            UiMode::Quiet => Self::Nowhere,
            UiMode::Tui => Self::OnScreen(Box::new(settings.tui()?)),
            UiMode::Plain => Self::AsLines(FeedFormat::Lines, settings.line_style()?),
            UiMode::Json => Self::AsLines(FeedFormat::Json, settings.line_style()?),
        })
    }
}

/// What shows an agent's doings, ready to go on from here.
pub(super) enum OpenView {
    Nowhere,
    OnScreen(Box<podtap_tui::UiConfig>),
    AsLines(Box<Feed>),
}

impl ListenView {
    /// Notes where the history ends, so that what comes after is shown; as lines, `limit` attempts
    /// where a number is given. `web` is the URL of the page beside it.
    pub(super) async fn open(
        self,
        handle: AgentHandle,
        limit: Option<u64>,
        web: Option<String>,
    ) -> Result<OpenView, Failure> {
        Ok(match self {
            Self::Nowhere => OpenView::Nowhere,
            Self::OnScreen(mut config) => {
                config.web = web;
                OpenView::OnScreen(config)
            }
            Self::AsLines(format, look) => {
                let feed = Feed::new(handle, format, look, limit).await?;
                OpenView::AsLines(Box::new(feed.with_web(web)))
            }
        })
    }
}

/// Adds what shows the agent's doings to the tasks.
pub(super) fn show(tasks: &mut Tasks, handle: AgentHandle, shown: OpenView) {
    let token = tasks.token();
    match shown {
        OpenView::Nowhere => {}
        OpenView::OnScreen(config) => {
            tasks.start(async move { super::ui::on_screen(handle, *config, token).await });
        }
        OpenView::AsLines(feed) => tasks.start(on_a_thread(feed.run(token))),
    }
}

/// Runs it on a thread of its own: a terminal that is stopped, or a pipe that nobody reads, holds up
/// what writes to it, and is to hold up nothing else.
async fn on_a_thread(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = Handle::current();
    let ended = spawn_blocking(move || runtime.block_on(work)).await;
    ended.unwrap_or_else(|error| Err(Failure::because("a part of podtap failed", &error)))
}

/// An agent's configuration out of the settings.
pub(super) fn agent_config(
    settings: &Settings,
    link: Option<&LinkSetup>,
    routes: &Routes,
) -> Result<AgentConfig, Failure> {
    let mut config = AgentConfig::new(settings.history()?);
    config.link = link.map(|link| link.config.clone());
    config.target = routes.rest().cloned();
    config.routes = routes.list().to_vec();
    config.delivery = delivery(settings)?;
    config.podio = super::podio::agent_config(settings)?;
    config.trust = settings.trust()?;
    if let Some(age) = settings.duration(Key::KEEP_AGE)? {
        config.retention.max_age = age;
    }
    if let Some(events) = settings.number(Key::KEEP_EVENTS)? {
        config.retention.max_events = events;
    }
    Ok(config)
}

/// Waits for the first connection, and fails instead of waiting for a second try.
async fn first_connection(
    handle: &AgentHandle,
    relay: &str,
    token: &CancellationToken,
) -> Result<(), Failure> {
    use podtap_agent::LinkState;
    let mut status = handle.status();
    let settled = status.wait_for(|status| {
        matches!(
            &status.link,
            LinkState::Up { .. }
                | LinkState::Stopped { .. }
                | LinkState::Connecting {
                    reason: Some(_),
                    ..
                }
        )
    });
    let settled = tokio::select! {
        () = token.cancelled() => return Ok(()),
        settled = settled => settled.map(|status| status.link.clone()),
    };
    match settled {
        Ok(LinkState::Connecting {
            reason: Some(reason),
            ..
        }) => Err(
            Failure::new(Code::Unreachable, "the relay cannot be reached")
                .fact("relay", relay)
                .fact("why", reason)
                .hint(format!(
                    "check --relay, or remove --no-wait to wait for it; {DOCTOR}"
                )),
        ),
        // A link that ended for good is told by the agent itself.
        Ok(_) | Err(_) => Ok(()),
    }
}
