//! `podtap demo`: the whole product on this machine, over real sockets:
//! a sandbox of Podio's API with a small active company, the relay, the
//! agent that creates and verifies hooks, a sample service, and the UI.

use std::net::SocketAddr;
use std::process::ExitCode;

use podtap_agent::{
    AgentConfig, AgentHandle, HookState, HooksConfig, PlaceRef, PodioConfig, draft, hooks,
};
use podtap_podio::client::{self, Credentials, Grant};
use podtap_sandbox::life::{self, LifePace};
use podtap_sandbox::{self as sandbox, Sandbox, Seed};
use tokio_util::sync::CancellationToken;

use super::embedded::{EmbeddedRelay, RelayPlace};
use super::link::LinkSetup;
use super::listen::{open_agent, run_agent, start_relay};
use super::view::{ListenView, show};
use crate::cli::Demo;
use crate::config::Settings;
use crate::demo::SampleService;
use crate::failure::Failure;
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// The same seed at each start, so a new user sees what the documentation shows.
const SEED: u64 = 2026;

/// The event types of the hooks on the company's apps and on its space. Nearly
/// every change causes an event, so `--rate` is about the rate of events.
const ON_APP: &str = "item.*,comment.*,file.change,tag.*";
const ON_SPACE: &str = "task.*,status.create,member.add";

/// Runs the demo until a signal, `q`, or the requested number of deliveries.
pub(crate) async fn run(demo: Demo, settings: &Settings) -> Result<ExitCode, Failure> {
    if !(demo.rate > 0.0 && demo.rate <= 1_000.0) {
        return Err(Failure::usage(
            "--rate must be above 0 and at most 1000 changes per second",
        ));
    }
    let mut shown = ListenView::of(demo.display.mode(settings.is_dumb()), settings)?;
    let shutdown = Shutdown::register()?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    // The demo leaves no files behind.
    let folder = tempfile::tempdir()?;
    let podio = Sandbox::bind(sandbox::SandboxConfig::default())
        .await
        .map_err(|error| Failure::because("the sandbox cannot start", &error))?;
    let service = SampleService::bind().await?;
    let tunnel = "demo"
        .parse()
        .map_err(|error| Failure::because("no tunnel", &error))?;
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let relay_dir = folder.path().join("relay");
    let place = RelayPlace {
        dir: relay_dir,
        listen: Some(any_port),
        reserved: Vec::new(),
        public_url: None,
    };
    let EmbeddedRelay { relay, link } = EmbeddedRelay::start(place, tunnel).await?;

    let mut config = AgentConfig::new(folder.path().join("demo.db"));
    config.link = Some(link.clone());
    config.target = Some(target(service.address())?);
    config.podio = hooks_of_the_company(&podio.base_url())?;
    let (agent, handle) = open_agent(config)?;
    super::alarm::start(&mut tasks, settings, [&handle], &mut shown).await?;
    let shown = shown.open(handle.clone(), demo.events, None).await?;
    run_agent(
        &mut tasks,
        agent,
        LinkSetup::with(link, "this process", settings)?,
    );
    start_relay(&mut tasks, relay);
    let (token, alive) = (tasks.token(), podio.handle());
    tasks.start(async move {
        podio.run(token).await;
        Ok(())
    });
    let token = tasks.token();
    tasks.start(async move {
        service.run(token).await;
        Ok(())
    });
    show(&mut tasks, handle.clone(), shown);
    let (token, pace) = (
        tasks.token(),
        LifePace {
            per_second: demo.rate,
            random_seed: SEED,
        },
    );
    tasks.start(async move {
        hooks_settled(&handle, &token).await;
        life::run(alive, pace, token).await;
        Ok(())
    });
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

fn target(address: SocketAddr) -> Result<podtap_agent::Target, Failure> {
    let target = address.to_string().parse();
    target.map_err(|error| Failure::because("no local service", &error))
}

/// Returns a configuration that acts as the company's first person
/// and creates hooks on its first space and the apps there.
fn hooks_of_the_company(api: &str) -> Result<PodioConfig, Failure> {
    let seed = Seed::example();
    let empty = || Failure::usage("the sandbox is empty");
    let client = seed.clients.first().ok_or_else(empty)?;
    let person = seed.users.first().ok_or_else(empty)?;
    let space = seed.spaces.first().ok_or_else(empty)?;
    let failed = |error: hooks::PlanError| Failure::because("no hooks", &error);
    let mut wanted = hooks::plan(PlaceRef::space(space.space_id), ON_SPACE).map_err(failed)?;
    for app in &space.apps {
        wanted.extend(hooks::plan(PlaceRef::app(app.app_id), ON_APP).map_err(failed)?);
    }
    let base_url = api
        .parse()
        .map_err(|error| Failure::because("no API", &error))?;
    Ok(PodioConfig {
        client: client::PodioClientConfig {
            base_url,
            credentials: Some(Credentials {
                client_id: client.client_id.clone(),
                client_secret: client.client_secret.clone().into(),
                grant: Grant::Password {
                    username: person.mail.clone(),
                    password: person.password.clone().into(),
                },
            }),
            ..client::PodioClientConfig::default()
        },
        // The sample service has no code for verification, so the agent verifies.
        forward_verify: false,
        hooks: Some(HooksConfig {
            wanted,
            path: draft::PATH.to_owned(),
            // The sandbox ends with the agent, so the hooks need no removal.
            keep: true,
            optional: true,
        }),
        ..PodioConfig::default()
    })
}

/// Waits until each hook is verified or has failed: the hooks would miss earlier changes.
async fn hooks_settled(handle: &AgentHandle, token: &CancellationToken) {
    let mut hooks = handle.hooks();
    let settled = hooks.wait_for(|hooks| {
        let on_its_way = |state: &HookState| matches!(state, HookState::Waiting | HookState::Made);
        !hooks.is_empty() && !hooks.iter().any(|hook| on_its_way(&hook.state))
    });
    tokio::select! {
        () = token.cancelled() => {}
        // The agent has ended, so no hook changes any more.
        _ = settled => {}
    }
}
