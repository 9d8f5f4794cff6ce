//! Sends commands to a running sandbox.

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use podtap_connect::{client, reason};
use podtap_podio::client::BaseUrl;
use podtap_sandbox::{CommandResult, SandboxCommand};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cli::{self, Switch};
use crate::config::{Key, Settings};
use crate::failure::Failure;
use crate::output::json::line;
use crate::output::{print, printable};

/// Maximum time to wait for the sandbox's response.
const LIMIT: Duration = Duration::from_secs(10);
/// Maximum size of a response, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Runs `podtap sandbox do`.
pub(super) async fn act(
    deed: &cli::SandboxAction,
    settings: &Settings,
) -> Result<ExitCode, Failure> {
    let body = json!(read(deed)?);
    let answer = call(settings, Method::POST, "/-/do", &body).await?;
    let done: CommandResult = serde_json::from_value(answer)
        .map_err(|error| Failure::because("the sandbox's answer cannot be read", &error))?;
    if deed.json {
        let fields = json!({
            "event": done.event, "object": done.object.to_string(), "webhooks": done.webhooks,
        });
        print(&line("done", &fields))?;
    } else {
        let webhooks = match done.webhooks {
            0 => "no webhook: there is no active hook for it".to_owned(),
            1 => "1 webhook".to_owned(),
            many => format!("{many} webhooks"),
        };
        print(&printable(&format!(
            "{}  {}  {webhooks}",
            done.event, done.object
        )))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `podtap sandbox outage`.
pub(super) async fn outage(state: Switch, settings: &Settings) -> Result<ExitCode, Failure> {
    let on = state == Switch::On;
    call(settings, Method::PUT, "/-/outage", &json!({ "on": on })).await?;
    print(if on {
        "from now on, webhooks are lost"
    } else {
        "webhooks are sent again; those that were lost are not"
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Parses the words: the id, if there is one, comes before the names and values.
fn read(typed: &cli::SandboxAction) -> Result<SandboxCommand, Failure> {
    let mut words = typed.words.iter().map(String::as_str).peekable();
    let object = words.next_if(|word| !word.contains('='));
    let object = object.map(|word| {
        word.parse::<u64>().map_err(|_| {
            Failure::usage(format!("`{word}` is not an id or NAME=VALUE"))
                .hint("write `podtap sandbox do item.update 3276908608 status=Paid`")
        })
    });
    let values = words.map(|word| {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{word}` has no value"))
                .hint(format!("write {word}=VALUE; an empty value clears a field"))
        })?;
        Ok((name.to_owned(), value.to_owned()))
    });
    Ok(SandboxCommand {
        event: typed.event.clone(),
        object: object.transpose()?,
        values: values.collect::<Result<_, Failure>>()?,
    })
}

async fn call(
    settings: &Settings,
    method: Method,
    path: &str,
    body: &Value,
) -> Result<Value, Failure> {
    let url = address(settings)?;
    let away = |why: String| {
        Failure::usage("no sandbox is running there")
            .code(crate::failure::Code::Failed)
            .fact("url", url.as_str())
            .fact("why", why)
            .hint("start one with `podtap sandbox`, or set its URL with --podio-url")
    };
    let http = client::ClientSettings {
        is_encrypted: false,
        proxy: None,
        connect_timeout: LIMIT,
        idle_connections: 0,
    }
    .client()
    .map_err(|error| Failure::because("the sandbox cannot be called", &error))?;
    let request = Request::builder()
        .method(method)
        .uri(format!("{url}{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|error| Failure::because("the sandbox cannot be called", &error))?;
    let exchange = async {
        let answer = http
            .request(request)
            .await
            .map_err(|error| reason::words(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        Ok::<_, String>((head.status, body))
    };
    let (status, body) = timeout(LIMIT, exchange)
        .await
        .map_err(|_| away("no answer".to_owned()))?
        .map_err(away)?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status.is_success() {
        return Ok(answer);
    }
    match answer.get("error_description").and_then(Value::as_str) {
        Some(why) => Err(Failure::usage("the sandbox refused the request")
            .code(crate::failure::Code::Failed)
            .fact("why", why)),
        None => Err(away(format!("it answered {status}"))),
    }
}

/// Returns the URL of the sandbox in the settings; refuses Podio itself.
fn address(settings: &Settings) -> Result<BaseUrl, Failure> {
    let url: Option<BaseUrl> = settings.parse(Key::PODIO_URL)?;
    let url = match url {
        Some(url) => url,
        None => format!("http://{}", super::DEFAULT_LISTEN)
            .parse()
            .map_err(|error| Failure::because("no address", &error))?,
    };
    if url.is_encrypted() {
        return Err(Failure::usage("this is not a sandbox on this machine")
            .fact("url", url.as_str())
            .hint("set the URL of one with --podio-url"));
    }
    Ok(url)
}
