//! `podtap login`: a person authorizes Podtap in the browser, which is redirected to loopback.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use podtap_podio::client::{Credentials, Grant};
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::podio::{base_url, build, registered_client};
use crate::cli::LoginArgs;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::print;
use crate::shutdown::Shutdown;

/// Maximum time for the person to authorize.
const PATIENCE: Duration = Duration::from_mins(5);

/// Number of attempts to find a port that is free at both addresses.
const PORTS_TRIED: usize = 10;

/// Maximum number of concurrent connections.
const CONNECTIONS: usize = 16;

/// Maximum time for the browser to receive the final page.
const GOODBYE: Duration = Duration::from_secs(1);

/// The result in the redirect: the code, or why there is none.
type LoginResult = Result<SecretString, String>;

/// Prints the URL to open, waits for the redirect, and stores the tokens.
pub(crate) async fn run(login: LoginArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let Some((client_id, client_secret)) = registered_client(settings)? else {
        return Err(Failure::usage("no API client is configured").hint(
            "register one at podio.com/settings/api and set PODTAP_PODIO_CLIENT_ID and \
             PODTAP_PODIO_CLIENT_SECRET",
        ));
    };
    let shutdown = Shutdown::register()?;
    let listeners = RedirectListeners::bind(login.port.unwrap_or(0)).await?;
    let redirect_uri = format!("http://localhost:{}/", listeners.port()?);
    let state = random_state()?;
    let credentials = |grant| Credentials {
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        grant,
    };
    let page =
        credentials(Grant::Stored).authorize_url(&base_url(settings)?, &redirect_uri, &state);
    let minutes = PATIENCE.as_secs() / 60;
    print(&format!(
        "Open this page within {minutes} minutes and allow access:\n\n  {page}\n"
    ))?;
    let verdict = tokio::select! {
        () = shutdown.token().cancelled() => return Ok(shutdown.exit_code()),
        () = tokio::time::sleep(PATIENCE) => Err("the login timed out".to_owned()),
        verdict = redirect(listeners, state) => verdict?,
    };
    let code = verdict
        .map_err(|why| Failure::new(Code::Refused, "Podio denied access").fact("why", why))?;
    let grant = Grant::AuthorizationCode { code, redirect_uri };
    build(settings, credentials(grant))?.login().await?;
    print("Logged in. The tokens are in the data folder, where only you can read them")?;
    Ok(ExitCode::SUCCESS)
}

/// Listeners at both addresses that `localhost` may
/// mean: a program at the other one would get the code.
struct RedirectListeners {
    v4: TcpListener,
    /// `None` if this machine has no IPv6.
    v6: Option<TcpListener>,
}

impl RedirectListeners {
    /// Binds this port at both addresses; 0 means any port that is free at both.
    async fn bind(port: u16) -> std::io::Result<Self> {
        let mut tries = PORTS_TRIED;
        loop {
            tries -= 1;
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
            let beside = (Ipv6Addr::LOCALHOST, v4.local_addr()?.port());
            let v6 = match TcpListener::bind(beside).await {
                Ok(v6) => Some(v6),
                Err(error) if error.kind() == ErrorKind::AddrInUse => {
                    if port == 0 && tries > 0 {
                        continue;
                    }
                    return Err(error);
                }
                Err(_) => None,
            };
            return Ok(Self { v4, v6 });
        }
    }

    fn port(&self) -> std::io::Result<u16> {
        Ok(self.v4.local_addr()?.port())
    }

    /// Accepts the next connection at either address.
    ///
    /// # Cancel safety
    /// Dropping the future loses no connection.
    async fn accept(&self) -> std::io::Result<TcpStream> {
        let v6 = async {
            match &self.v6 {
                Some(v6) => v6.accept().await,
                None => std::future::pending().await,
            }
        };
        let accepted = tokio::select! {
            accepted = self.v4.accept() => accepted,
            accepted = v6 => accepted,
        };
        Ok(accepted?.0)
    }
}

/// Returns 128 random bits: the OAuth state, which protects against forged redirects.
fn random_state() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::because("cannot get random numbers from the system", &error))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// Serves the loopback addresses until a redirect with the right state arrives.
async fn redirect(listeners: RedirectListeners, state: String) -> Result<LoginResult, Failure> {
    let (found, mut verdicts) = mpsc::channel(1);
    let mut connections = JoinSet::new();
    // Each arm is cancel-safe. A connection that sends nothing does not block the others.
    loop {
        let stream = tokio::select! {
            Some(verdict) = verdicts.recv() => {
                // The browser gets its page before the listener closes.
                let rest = async { while connections.join_next().await.is_some() {} };
                tokio::time::timeout(GOODBYE, rest).await.ok();
                return Ok(verdict);
            }
            Some(_) = connections.join_next() => continue,
            accepted = listeners.accept(), if connections.len() < CONNECTIONS => accepted?,
        };
        let (found, state) = (found.clone(), state.clone());
        connections.spawn(async move {
            let answer = service_fn(|request: Request<Incoming>| {
                let verdict = verdict(request.uri().query().unwrap_or_default(), &state);
                let found = found.clone();
                async move {
                    let text = match &verdict {
                        None => "This is podtap, waiting for Podio's answer.",
                        Some(Ok(_)) => "podtap is logged in. You can close this page.",
                        Some(Err(_)) => "Access was denied. You can close this page.",
                    };
                    if let Some(verdict) = verdict {
                        // A second redirect is ignored.
                        found.try_send(verdict).ok();
                    }
                    let answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
                    Ok::<_, Infallible>(answer)
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(5))
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to the login page broke");
            }
        });
    }
}

/// Returns the result in a redirect's query; `None` if the redirect does not belong to this login.
fn verdict(query: &str, state: &str) -> Option<LoginResult> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let value = |name: &str| {
        let pair = pairs.clone().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.into_owned())
    };
    let ours =
        value("state").is_some_and(|theirs| theirs.as_bytes().ct_eq(state.as_bytes()).into());
    if !ours {
        return None;
    }
    match value("code") {
        Some(code) => Some(Ok(code.into())),
        None => Some(Err(value("error_description")
            .or(value("error"))
            .unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn only_a_redirect_with_our_state_counts() {
        assert!(verdict("code=abc&state=other", "ours").is_none());
        assert!(verdict("code=abc", "ours").is_none());
        let code = verdict("code=a%2Fb&state=ours", "ours").unwrap().unwrap();
        assert_eq!(code.expose_secret(), "a/b");
        let denied = verdict(
            "error=access_denied&error_description=no+way&state=ours",
            "ours",
        );
        assert_eq!(denied.unwrap().unwrap_err(), "no way");
    }

    #[tokio::test]
    async fn a_page_that_sends_nothing_keeps_the_redirect_from_nobody() {
        use tokio::io::AsyncWriteExt as _;

        let listeners = RedirectListeners::bind(0).await.unwrap();
        let address = (Ipv4Addr::LOCALHOST, listeners.port().unwrap());
        let _silent = TcpStream::connect(address).await.unwrap();
        let mut page = TcpStream::connect(address).await.unwrap();
        page.write_all(b"GET /?code=abc&state=ours HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .unwrap();

        let verdict = redirect(listeners, "ours".to_owned()).await.unwrap();
        assert_eq!(verdict.unwrap().expose_secret(), "abc");
    }
}
