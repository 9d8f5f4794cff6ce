//! `podtap relay`: the public server.

use std::net::SocketAddr;
use std::process::ExitCode;

use podtap_podio::check_hook_url;
use podtap_relay::{Bound, Config, Relay};

use crate::cli::RelayServe;
use crate::config::{Key, Settings};
use crate::failure::Failure;
use crate::output::json::{Callable, Object, Ready};
use crate::output::print;
use crate::shutdown::Shutdown;

/// Where it listens unless told: behind the web server that holds the certificate.
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Serves until a signal.
pub(crate) async fn run(serve: &RelayServe, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::watch()?;
    let bound = bind(config(settings)?).await?;
    announce(&bound, serve.json)?;
    bound
        .run(shutdown.token().clone())
        .await
        .map_err(|error| Failure::because("the relay ended", &error))?;
    Ok(shutdown.exit_code())
}

/// Binds a relay, or says what is in the way.
pub(crate) async fn bind(config: Config) -> Result<Bound, Failure> {
    let bound = Relay::bind(config).await;
    bound.map_err(|error| cannot_start(&error))
}

/// What keeps a relay from starting.
pub(super) fn cannot_start(error: &podtap_relay::Error) -> Failure {
    Failure::because("the relay cannot start", error)
}

fn config(settings: &Settings) -> Result<Config, Failure> {
    let mut config = Config::new(settings.relay_dir()?);
    config.listen = settings.relay_listen()?.unwrap_or(DEFAULT_LISTEN);
    config.public_url = settings.public_url()?;
    config.admin_listen = match settings.text(Key::ADMIN_LISTEN) {
        None | Some("off") => None,
        Some(_) => settings.parsed(Key::ADMIN_LISTEN)?,
    };
    config.limits = settings.relay_limits()?;
    config.trusted_proxies = settings.trusted_proxies()?;
    config.methods = settings.parsed(Key::METHODS)?.unwrap_or_default();
    Ok(config)
}

fn announce(bound: &Bound, json: bool) -> Result<(), Failure> {
    let (listen, public_url) = (bound.local_addr().to_string(), bound.public_url().as_str());
    let admin = bound.admin_addr().map(|address| address.to_string());
    let uncallable = check_hook_url(public_url).err();
    if json {
        return print(
            &Object::Ready(Ready::Relay {
                listen,
                public_url,
                admin,
                callable: Callable::new(uncallable.as_ref()),
            })
            .to_line(),
        );
    }
    print(&format!("Listening on  {listen}"))?;
    print(&format!("Public URL    {public_url}"))?;
    if let Some(why) = uncallable {
        print(&format!(
            "              Podio cannot call it: {why}; set --public-url to this relay's public address"
        ))?;
    }
    if let Some(admin) = admin {
        print(&format!("Metrics       http://{admin}/metrics"))?;
    }
    Ok(())
}
