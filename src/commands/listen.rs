//! `podtap listen`: gives a local service a public URL and shows every event.

use std::process::ExitCode;
use std::time::Duration;

use podtap_agent::figures::DOCTOR;
use podtap_agent::routes::Routes;
use podtap_agent::{Agent, AgentConfig, AgentHandle};
use podtap_connect::reason::chain;
use podtap_web::PageTunnels;
use tokio_util::sync::CancellationToken;

use super::delivery::delivery;
use super::embedded::{EmbeddedRelay, RelayPlace};
use super::history::{open_failure, refuse_second};
use super::link::LinkSetup;
use super::targets::{check_targets, ports};
use super::view::{ListenView, show};
use crate::cli::Listen;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure};
use crate::running;
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// Pause before the next attempt to open a history.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// Listens until a signal, `q`, or an end of the link that retrying cannot fix.
pub(crate) async fn run(listen: Listen, settings: &Settings) -> Result<ExitCode, Failure> {
    let routes = settings.all_routes()?;
    check_targets(&routes, settings).await?;
    let mut shown = ListenView::of(listen.display.mode(settings.is_dumb()), settings)?;
    settings.notify()?;
    refuse_second(settings)?;
    let shutdown = Shutdown::register()?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    let (relay, mut link) = link(&routes, settings).await?;
    if let Some(relay) = relay {
        start_relay(&mut tasks, relay);
    }
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
    let tunnels = PageTunnels::one(settings.tunnel()?.to_string(), handle.clone());
    let web = super::web::serve(&mut tasks, settings, tunnels).await?;
    super::alarm::start(&mut tasks, settings, [&handle], &mut shown).await?;
    // Opened before the agent runs, so what happens at its start is shown, too.
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

/// Returns the link to the configured relay. Without one, also
/// returns a new relay of this process, which the caller must run.
pub(super) async fn link(
    routes: &Routes,
    settings: &Settings,
) -> Result<(Option<podtap_relay::BoundRelay>, LinkSetup), Failure> {
    let tunnel = settings.tunnel()?;
    if let Some(relay) = settings.relay()? {
        if settings.is_typed(Key::PUBLIC_URL) {
            return Err(
                Failure::usage("a relay on a server has a public URL of its own")
                    .fact("relay", relay.as_str())
                    .hint("remove --public-url or the relay"),
            );
        }
        return Ok((None, LinkSetup::to(relay, tunnel, settings)?));
    }
    let dir = settings.data_dir()?.join(format!("relay-{tunnel}"));
    let place = RelayPlace {
        dir,
        listen: settings.listen()?,
        reserved: ports(routes),
        public_url: settings.public_url()?,
    };
    let EmbeddedRelay { relay, link } = EmbeddedRelay::start(place, tunnel).await?;
    Ok((
        Some(relay),
        LinkSetup::with(link, "this process", settings)?,
    ))
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

/// Opens an agent, and retries, since a problem of its history
/// may pass. Returns `None` if the token is cancelled first.
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
        // Each reason is shown once, not for each attempt.
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

/// Opens an agent without running it.
pub(super) fn open_agent(config: AgentConfig) -> Result<(Agent, AgentHandle), Failure> {
    let path = config.history.clone();
    Agent::open(config).map_err(|error| open_failure(&path, &error))
}

/// Adds an agent to the tasks.
pub(super) fn run_agent(tasks: &mut Tasks, agent: Agent, link: LinkSetup) {
    let token = tasks.token();
    tasks.start(async move { agent.run(token).await.map_err(|error| link.explain(&error)) });
}

/// Builds an agent's configuration from the settings.
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

/// Waits for the first connection; fails if the first attempt fails.
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
        // If the link ended permanently, the agent itself reports it.
        Ok(_) | Err(_) => Ok(()),
    }
}
