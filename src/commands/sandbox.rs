//! `podtap sandbox`: a local stand-in for Podio's API that fires real webhooks.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use podtap_agent::export::json::text::to_line;
use podtap_sandbox::life::{self, Pace};
use podtap_sandbox::{Config, Sandbox as Server, Seed};
use serde::Serialize;

use crate::cli::Sandbox;
use crate::config::Settings;
use crate::failure::{Failure, chain};
use crate::output::print;
use crate::parts::Parts;
use crate::shutdown::Shutdown;

/// Where it listens unless told.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

/// Answers until a signal; with `--life` things happen by themselves.
pub(crate) async fn run(sandbox: Sandbox, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::watch()?;
    let config = Config {
        listen: settings.listen()?.unwrap_or(DEFAULT_LISTEN),
        seed: seed(&sandbox)?,
        // Whoever knows the seed knows the tokens.
        random_seed: getrandom::u64()
            .map_err(|error| Failure::because("the system gives no random numbers", &error))?,
        enforce_ports: sandbox.enforce_ports,
        validate_requires_auth: sandbox.validate_requires_auth,
        ..Config::default()
    };
    let example = config.seed.clone();
    let bound = Server::bind(config)
        .await
        .map_err(|error| Failure::because("the sandbox cannot start", &error))?;
    announce(&bound.base_url(), &example, sandbox.json)?;
    let handle = bound.handle();
    let mut parts = Parts::new(shutdown.token().clone());
    let token = parts.token();
    parts.start(async move {
        bound.run(token).await;
        Ok(())
    });
    if let Some(per_second) = sandbox.life {
        let (token, pace) = (
            parts.token(),
            Pace {
                per_second,
                random_seed: 1,
            },
        );
        parts.start(async move {
            life::run(handle, pace, token).await;
            Ok(())
        });
    }
    parts.finish().await?;
    Ok(shutdown.exit_code())
}

fn seed(sandbox: &Sandbox) -> Result<Seed, Failure> {
    let Some(path) = &sandbox.seed else {
        return Ok(Seed::example());
    };
    let wrong = |why: String| {
        Failure::usage("the seed cannot be read")
            .fact("file", path.display().to_string())
            .fact("why", why)
            .hint("`podtap sandbox --print-seed` prints an example")
    };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Seed::from_json(&text).map_err(|error| wrong(chain(&error)))
}

/// Says where it is, and the invented credentials that it takes.
fn announce(url: &str, seed: &Seed, json: bool) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Ready<'a> {
        v: u8,
        r#type: &'static str,
        podio_url: &'a str,
    }
    if json {
        let ready = Ready {
            v: 1,
            r#type: "ready",
            podio_url: url,
        };
        return print(&to_line(&ready));
    }
    print(&format!("Sandbox of Podio's API  {url}\n"))?;
    print("# its invented credentials, for this machine only")?;
    print(&format!("export PODTAP_PODIO_URL={url}"))?;
    if let Some(client) = seed.clients.first() {
        print(&format!(
            "export PODTAP_PODIO_CLIENT_ID={}",
            client.client_id
        ))?;
        print(&format!(
            "export PODTAP_PODIO_CLIENT_SECRET={}",
            client.client_secret
        ))?;
    }
    if let Some(app) = seed.spaces.iter().flat_map(|space| &space.apps).next() {
        print(&format!("export PODTAP_PODIO_APP_ID={}", app.app_id))?;
        print(&format!("export PODTAP_PODIO_APP_TOKEN={}", app.token))?;
    }
    Ok(())
}

/// Prints the example that `--seed` takes.
pub(crate) fn print_seed() -> Result<ExitCode, Failure> {
    print(Seed::EXAMPLE.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
