//! Prints one line for each API call and each webhook of a sandbox.

use jiff::Timestamp;
use podtap_agent::amount;
use podtap_sandbox::{Observation, SendOutcome, SentWebhook};
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::output::{json, print};
use crate::style::{LineStyle, StyledLine, Tone};

/// Prints until `token` is cancelled.
pub(super) async fn run(
    mut watching: Receiver<Observation>,
    look: LineStyle,
    json: bool,
    token: CancellationToken,
) -> Result<(), Failure> {
    let printing = async {
        loop {
            match watching.recv().await {
                Ok(seen) if json => print(&object(&seen))?,
                Ok(seen) => print(&line(&seen, Timestamp::now(), &look))?,
                Err(RecvError::Lagged(missed)) if !json => {
                    print(&format!("… {missed} lines were skipped"))?;
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    };
    token.run_until_cancelled(printing).await.unwrap_or(Ok(()))
}

fn line(seen: &Observation, now: Timestamp, look: &LineStyle) -> StyledLine {
    let time = look.clock(now);
    match seen {
        Observation::Call {
            method,
            path,
            status,
        } => {
            let call = format!("{time}  {method:<6}  {path}  ");
            let tone = Tone::of_status(*status);
            look.line(&[(Tone::Plain, &call), (tone, &status.to_string())])
        }
        Observation::Sent(sent) => {
            let (event, hook_id) = (sent.event.as_str(), sent.hook_id);
            let url = without_query(&sent.url);
            let webhook = format!("{time}  {event}  hook {hook_id} → {url}  ");
            let (tone, ended) = outcome(sent);
            let again = match sent.attempt {
                1 => String::new(),
                attempt => format!("  attempt {attempt}"),
            };
            look.line(&[
                (Tone::Plain, &webhook),
                (tone, &ended),
                (Tone::Plain, &again),
            ])
        }
    }
}

fn outcome(sent: &SentWebhook) -> (Tone, String) {
    let took = amount::duration(sent.took);
    match &sent.outcome {
        SendOutcome::Answered(status) => (Tone::of_status(*status), format!("{status}  {took}")),
        SendOutcome::TimedOut => (Tone::Bad, format!("no answer within {took}")),
        SendOutcome::Swallowed => (Tone::Doubtful, "lost in the outage".to_owned()),
        SendOutcome::Unreachable(why) => (Tone::Bad, why.clone()),
    }
}

/// Returns the URL that was called: Podio removes the query.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// The JSON object of an API call.
#[derive(Serialize)]
struct CallObject<'a> {
    method: &'a str,
    path: &'a str,
    status: u16,
}

/// The JSON object of an attempt to send a webhook.
#[derive(Serialize)]
struct WebhookObject<'a> {
    event: &'static str,
    hook_id: String,
    url: &'a str,
    params: serde_json::Map<String, serde_json::Value>,
    attempt: u32,
    duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

fn object(seen: &Observation) -> String {
    match seen {
        Observation::Call {
            method,
            path,
            status,
        } => json::line(
            "call",
            &CallObject {
                method,
                path,
                status: *status,
            },
        ),
        Observation::Sent(sent) => {
            let (status, error) = match &sent.outcome {
                SendOutcome::Answered(status) => (Some(*status), None),
                SendOutcome::TimedOut => (None, Some("timeout")),
                SendOutcome::Swallowed => (None, Some("outage")),
                SendOutcome::Unreachable(why) => (None, Some(why.as_str())),
            };
            let params = sent.params.iter();
            let webhook = WebhookObject {
                event: sent.event.as_str(),
                hook_id: sent.hook_id.to_string(),
                url: without_query(&sent.url),
                params: params
                    .map(|(name, value)| (name.clone(), value.clone().into()))
                    .collect(),
                attempt: sent.attempt,
                duration_ms: u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX),
                status,
                error,
            };
            json::line("webhook", &webhook)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use podtap_podio::EventType;
    use serde_json::{Value, json};

    use super::*;

    fn observe_send(outcome: SendOutcome) -> Observation {
        Observation::Sent(SentWebhook {
            hook_id: 24_360_217,
            event: EventType::ItemUpdate,
            url: "http://127.0.0.1:3000/hook?env=dev".to_owned(),
            params: vec![("item_id".to_owned(), "4".to_owned())],
            attempt: 2,
            outcome,
            took: Duration::from_millis(12),
        })
    }

    #[test]
    fn a_webhook_is_told_with_its_end_and_no_escape_reaches_the_terminal() {
        let look = LineStyle {
            zone: jiff::tz::TimeZone::UTC,
            coloured: false,
        };
        let told = line(
            &observe_send(SendOutcome::Answered(500)),
            Timestamp::UNIX_EPOCH,
            &look,
        );
        let end = "item.update  hook 24360217 → http://127.0.0.1:3000/hook  500  12 ms  attempt 2";
        assert_eq!(told.as_str(), format!("00:00:00.000  {end}"));
        let call = Observation::Call {
            method: "GET".to_owned(),
            path: "/\u{1b}]0;x".to_owned(),
            status: 404,
        };
        let told = line(&call, Timestamp::UNIX_EPOCH, &look);
        assert!(!told.as_str().contains('\u{1b}'), "{told:?}");
    }

    #[test]
    fn a_program_reads_the_same() {
        let told: Value =
            serde_json::from_str(&object(&observe_send(SendOutcome::Swallowed))).unwrap();
        let expected = json!({
            "v": 1, "type": "webhook", "event": "item.update", "hook_id": "24360217",
            "url": "http://127.0.0.1:3000/hook", "params": { "item_id": "4" }, "attempt": 2,
            "duration_ms": 12, "error": "outage",
        });
        assert_eq!(told, expected);
    }
}
