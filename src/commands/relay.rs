//! `podtap relay`: runs the public server.

use std::future::pending;
use std::net::SocketAddr;
use std::process::ExitCode;

use podtap_podio::check_hook_url;
use podtap_relay::{BoundRelay, Listeners, Relay, RelayConfig, TlsMode};
use tokio::time::{Interval, interval};
use tokio_util::sync::CancellationToken;

use crate::cli::RelayServe;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure};
use crate::output::json::{Callable, JsonObject, Ready};
use crate::output::print;
use crate::shutdown::Shutdown;
use crate::system::{UnitState, passed_sockets, tell, watchdog};

/// Default address: behind the web server that has the certificate.
const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// Default address of a relay with its own certificate, for IPv6 and IPv4.
const DEFAULT_TLS_LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED), 443);

/// Takes the sockets that systemd opened for the relay: the first for
/// webhooks, the second for metrics, the third for webhooks over plain HTTP.
///
/// Removes them from the environment, so it must be called before threads start.
pub(crate) fn passed_listeners() -> Result<Listeners, Failure> {
    let unusable =
        |what: String| Failure::usage(what).hint("ListenStream=ADDRESS:PORT in the socket unit");
    let passed = passed_sockets()
        .map_err(|error| unusable(format!("a passed socket cannot be used: {error}")))?;
    if passed.len() > 3 {
        let passed = passed.len();
        return Err(unusable(format!(
            "{passed} sockets were passed, and only 3 are used: for webhooks, for metrics, and for \
             webhooks over plain http"
        )));
    }
    let mut passed = passed.into_iter();
    Ok(Listeners {
        public: passed.next(),
        admin: passed.next(),
        http: passed.next(),
    })
}

/// Serves until a signal.
pub(crate) async fn run(
    serve: &RelayServe,
    settings: &Settings,
    listeners: Listeners,
) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let bound = Relay::bind_with(config(settings)?, listeners).await;
    let bound = bound.map_err(|error| cannot_start(&error))?;
    if let Some(reload) = bound.reload() {
        shutdown.reload_on_hang_up(reload);
    }
    announce(&bound, serve.json)?;
    let ending = shutdown.token();
    let ended = reporting(ending, Box::pin(bound.run(ending.clone()))).await;
    ended.map_err(|error| Failure::because("the relay ended", &error))?;
    Ok(shutdown.exit_code())
}

/// Runs `work`, and meanwhile reports to the service manager that
/// the relay is ready, that it is alive, and when it begins to end.
async fn reporting<T>(ending: &CancellationToken, mut work: impl Future<Output = T> + Unpin) -> T {
    let mut watchdog = watchdog().map(|limit| interval(limit / 2));
    let mut ends = false;
    tell(UnitState::Ready);
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = tick(watchdog.as_mut()) => tell(UnitState::Alive),
            () = ending.cancelled(), if !ends => {
                ends = true;
                tell(UnitState::Stopping);
            }
        }
    }
}

/// Waits until the next report that the relay is alive; without a watchdog, never returns.
async fn tick(interval: Option<&mut Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => pending().await,
    }
}

/// Binds a relay, or returns why that failed.
pub(crate) async fn bind(config: RelayConfig) -> Result<BoundRelay, Failure> {
    let bound = Relay::bind(config).await;
    bound.map_err(|error| cannot_start(&error))
}

/// Returns the failure that explains why a relay cannot start.
pub(super) fn cannot_start(error: &podtap_relay::StartError) -> Failure {
    let failure = Failure::because("the relay cannot start", error);
    match error {
        podtap_relay::StartError::Certificate(why) => failure.code(Code::Usage).hint(why.hint()),
        _ => failure,
    }
}

fn config(settings: &Settings) -> Result<RelayConfig, Failure> {
    let database = settings.database()?;
    let data_dir = match &database {
        None => settings.relay_dir()?,
        // With a database, the relay stores nothing in this folder.
        Some(_) => settings.data_dir()?,
    };
    let mut config = RelayConfig::new(data_dir);
    config.database = database;
    config.tls = settings.tls()?;
    config.http_listen = settings.http_listen()?;
    let standard = match config.tls {
        TlsMode::Off => DEFAULT_LISTEN,
        TlsMode::Files { .. } | TlsMode::Acme(_) => DEFAULT_TLS_LISTEN,
    };
    config.listen = settings.relay_listen()?.unwrap_or(standard);
    config.public_url = settings.public_url()?;
    config.admin_listen = match settings.text(Key::ADMIN_LISTEN) {
        None | Some("off") => None,
        Some(_) => settings.parse(Key::ADMIN_LISTEN)?,
    };
    config.limits = settings.relay_limits()?;
    config.trusted_proxies = settings.trusted_proxies()?;
    config.proxy_protocol = settings.proxy_protocol()?;
    config.methods = settings.parse(Key::METHODS)?.unwrap_or_default();
    Ok(config)
}

fn announce(bound: &BoundRelay, json: bool) -> Result<(), Failure> {
    let (listen, public_url) = (bound.local_addr().to_string(), bound.public_url().as_str());
    let admin = bound.admin_addr().map(|address| address.to_string());
    let http_listen = bound.http_addr().map(|address| address.to_string());
    let uncallable = check_hook_url(public_url).err();
    if json {
        return print(
            &JsonObject::Ready(Ready::Relay {
                listen,
                http_listen,
                public_url,
                admin,
                callable: Callable::new(uncallable.as_ref()),
            })
            .to_line(),
        );
    }
    print(&format!("Listening on  {listen}"))?;
    if let Some(http_listen) = http_listen {
        print(&format!("Plain http    {http_listen} (webhooks only)"))?;
    }
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
