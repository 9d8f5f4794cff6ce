//! `podtap login`: a person lets podtap in, in the browser; the redirect comes back to loopback.

use std::convert::Infallible;
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
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::podio::{base_url, build, registered};
use crate::cli::Login;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::print;
use crate::shutdown::Shutdown;

/// How long a person may take to say yes.
const PATIENCE: Duration = Duration::from_mins(5);

/// What Podio appended to the redirect: the code, or why there is none.
type Verdict = Result<SecretString, String>;

/// Prints the page to open, waits for the redirect, and keeps the tokens.
pub(crate) async fn run(login: Login, settings: &Settings) -> Result<ExitCode, Failure> {
    let Some((client_id, client_secret)) = registered(settings)? else {
        return Err(Failure::usage("which API client?").hint(
            "register one at podio.com/settings/api and set PODTAP_PODIO_CLIENT_ID and \
             PODTAP_PODIO_CLIENT_SECRET",
        ));
    };
    let shutdown = Shutdown::watch()?;
    let listener = TcpListener::bind(("127.0.0.1", login.port.unwrap_or(0))).await?;
    let redirect_uri = format!("http://localhost:{}/", listener.local_addr()?.port());
    let state = random_state()?;
    let credentials = |grant| Credentials {
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        grant,
    };
    let page =
        credentials(Grant::Stored).authorize_url(&base_url(settings)?, &redirect_uri, &state);
    print(&format!("Open this page and let podtap in:\n\n  {page}\n"))?;
    let verdict = tokio::select! {
        () = shutdown.token().cancelled() => return Ok(shutdown.exit_code()),
        () = tokio::time::sleep(PATIENCE) => Err("no answer came in time".to_owned()),
        verdict = redirect(listener, state) => verdict?,
    };
    let code = verdict
        .map_err(|why| Failure::new(Code::Refused, "Podio gave no permission").fact("why", why))?;
    let grant = Grant::AuthorizationCode { code, redirect_uri };
    build(settings, credentials(grant))?.login().await?;
    print("Logged in; the tokens are kept in the data folder, readable by you alone")?;
    Ok(ExitCode::SUCCESS)
}

/// OAuth's defence against forged redirects: 128 random bits.
fn random_state() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::because("the system has no random numbers", &error))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// Serves the loopback address until a redirect with the right state comes.
async fn redirect(listener: TcpListener, state: String) -> Result<Verdict, Failure> {
    let (found, mut verdicts) = mpsc::channel(1);
    let serve = async {
        loop {
            let (stream, _) = listener.accept().await?;
            let answer = service_fn(|request: Request<Incoming>| {
                let verdict = verdict(request.uri().query().unwrap_or_default(), &state);
                let found = found.clone();
                async move {
                    let text = match &verdict {
                        None => "This is podtap, waiting for Podio's answer.",
                        Some(Ok(_)) => "podtap is logged in. You can close this page.",
                        Some(Err(_)) => "podtap was not let in. You can close this page.",
                    };
                    if let Some(verdict) = verdict {
                        // A second answer finds nobody waiting, and need not.
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
            if let Ok(verdict) = verdicts.try_recv() {
                return Ok::<_, std::io::Error>(verdict);
            }
        }
    };
    Ok(serve.await?)
}

/// What a redirect's query says; `None` where it is not the one that was asked for.
fn verdict(query: &str, state: &str) -> Option<Verdict> {
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
}
