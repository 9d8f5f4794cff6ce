//! `podtap demo`: source, relay, agent, sample service and UI in one process, over real sockets.

use std::process::ExitCode;

use podtap_agent::{AgentHandle, Config};
use tokio_util::sync::CancellationToken;

use super::embedded::Embedded;
use super::link::Link;
use super::listen::{show, start_agent, start_relay};
use crate::cli::Demo;
use crate::config::Settings;
use crate::demo::{SampleService, Source};
use crate::failure::Failure;
use crate::parts::Parts;
use crate::shutdown::Shutdown;

/// The same stream at every start: what a newcomer sees is what the documentation shows.
const SEED: u64 = 2026;

/// Shows the product at work until a signal, `q`, or the events asked for were delivered.
pub(crate) async fn run(demo: Demo, settings: &Settings) -> Result<ExitCode, Failure> {
    if !(demo.rate > 0.0 && demo.rate <= 10_000.0) {
        return Err(Failure::usage(
            "--rate is above 0 and at most 10000 events a second",
        ));
    }
    let shutdown = Shutdown::watch()?;
    // Nothing of a demo outlives it.
    let folder = tempfile::tempdir()?;
    let service = SampleService::bind().await?;
    let tunnel = "demo"
        .parse()
        .map_err(|error| Failure::because("no tunnel", &error))?;
    let any_port = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let Embedded { relay, link } =
        Embedded::start(folder.path().join("relay"), Some(any_port), tunnel).await?;

    let mut parts = Parts::new(shutdown.token().clone());
    start_relay(&mut parts, relay);
    let mut config = Config::new(folder.path().join("demo.db"));
    config.link = Some(link.clone());
    config.target = Some(
        service
            .address()
            .to_string()
            .parse()
            .map_err(|error| Failure::because("no local service", &error))?,
    );
    // Nothing of a demo leaves this machine.
    config.podio.verify = false;
    let link = Link::with(link, "this process", settings)?;
    let handle = start_agent(&mut parts, config, link)?;
    let token = parts.token();
    parts.start(async move {
        service.run(token).await;
        Ok(())
    });
    show(
        &mut parts,
        handle.clone(),
        demo.display.mode(),
        demo.events,
        settings,
    )
    .await?;
    let token = parts.token();
    parts.start(send(handle, demo.rate, demo.events, token));
    parts.finish().await?;
    Ok(shutdown.exit_code())
}

/// Sends to the tunnel as soon as there is one, and stays until the others end.
async fn send(
    handle: AgentHandle,
    rate: f64,
    events: Option<u64>,
    token: CancellationToken,
) -> Result<(), Failure> {
    let mut status = handle.status();
    let known = status.wait_for(|status| status.public_url.is_some());
    let url = tokio::select! {
        () = token.cancelled() => return Ok(()),
        known = known => known.ok().and_then(|status| status.public_url.clone()),
    };
    if let Some(url) = url {
        Source::new(url, SEED)
            .run(rate, events, token.clone())
            .await?;
    }
    token.cancelled().await;
    Ok(())
}
