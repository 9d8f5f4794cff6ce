//! Sends a triggered event: through the tunnel's history to the local
//! service, so that it is listed like any other event, or directly to a URL.

use podtap_agent::config::DeliveryConfig;
use podtap_agent::draft::Draft;
use podtap_agent::history::{AttemptSummary, Outcome};
use podtap_agent::{Agent, AgentConfig, AgentHandle, Target, Trigger as Request};
use podtap_wire::{EventId, TunnelKey, WebhookRequest};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::Receiver;
use super::send::Sender;
use crate::cli::TriggerArgs;
use crate::commands::history::{open_failure, run_browser};
use crate::config::{Key, Settings};
use crate::failure::Failure;

/// How events are sent.
pub(super) enum SendMode {
    /// To a URL, without storing the event.
    Straight(Box<Sender>),
    /// By an agent that stores the event in the history.
    Recorded(Box<OfflineAgent>),
}

/// An agent without a link to a relay.
pub(super) struct OfflineAgent {
    agent: Agent,
    handle: AgentHandle,
}

/// The outcome of one event.
pub(super) struct SentEvent {
    /// The event's id, if it is stored.
    pub(super) id: Option<EventId>,
    /// The URL that got the event; of several targets, the one with the worst outcome.
    pub(super) url: String,
    /// No response is an outcome too.
    pub(super) summary: AttemptSummary,
}

impl SendMode {
    /// Chooses the way to this receiver. Recorded are events with routes or a
    /// command, and those for the local service if the tunnel has a history.
    /// An event that goes through a relay arrives in the history by itself.
    pub(super) fn of(
        receiver: &Receiver,
        draft: &Draft,
        trigger: &TriggerArgs,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let path = &draft.request.path;
        let url = receiver.service().map(|target| target.with_path(path));
        let trust = settings.trust()?;
        let timeout = settings.duration(Key::TIMEOUT)?;
        let timeout = timeout.unwrap_or(DeliveryConfig::default().timeout);
        if let Some(tunnel) = &trigger.through_relay {
            let url = if trigger.path.is_none() && has_path(tunnel) {
                tunnel.to_string()
            } else {
                tunnel.with_path(path)
            };
            return Ok(Self::Straight(Box::new(Sender::new(url, &trust, timeout)?)));
        }
        let has_history = settings.history().is_ok_and(|history| history.exists());
        if let Some(url) = url.filter(|_| !has_history) {
            return Ok(Self::Straight(Box::new(Sender::new(url, &trust, timeout)?)));
        }
        let mut config = AgentConfig::new(settings.history()?);
        config.target = receiver.routes.rest().cloned();
        config.routes = receiver.routes.list().to_vec();
        config.delivery.timeout = timeout;
        config.delivery.hidden_variables = Key::secret_variables();
        config.trust = trust;
        let path = config.history.clone();
        let (agent, handle) = Agent::open(config).map_err(|error| open_failure(&path, &error))?;
        Ok(Self::Recorded(Box::new(OfflineAgent { agent, handle })))
    }

    pub(super) async fn send(&self, request: &WebhookRequest) -> Result<SentEvent, Failure> {
        let handle = match self {
            Self::Straight(sender) => {
                return Ok(SentEvent {
                    id: None,
                    url: sender.url().to_owned(),
                    summary: sender.send(request).await?,
                });
            }
            Self::Recorded(recorder) => &recorder.handle,
        };
        let sent = handle.trigger(Request {
            request: request.clone(),
            target: None,
        });
        let sent = sent
            .await
            .map_err(|error| Failure::because("the event cannot be sent", &error))?;
        let attempt = sent.attempt;
        let summary = AttemptSummary {
            outcome: match attempt.outcome {
                Outcome::Answered { status, .. } => Ok(status),
                Outcome::Failed { error } => Err(error),
            },
            duration: attempt.duration,
            replay: attempt.replay,
        };
        Ok(SentEvent {
            id: Some(sent.event),
            url: attempt.url,
            summary,
        })
    }

    /// Closes the history.
    pub(super) async fn close(self) -> Result<(), Failure> {
        let Self::Recorded(recorder) = self else {
            return Ok(());
        };
        let done = CancellationToken::new();
        done.cancel();
        run_browser(recorder.agent, done).await
    }
}

/// Returns whether a URL has a path below the tunnel's key, like
/// the URL that Podio gets. Then the URL is used unchanged.
fn has_path(tunnel: &Target) -> bool {
    let segments = tunnel.url().and_then(Url::path_segments);
    let last = segments.and_then(|mut segments| segments.rfind(|segment| !segment.is_empty()));
    last.is_some_and(|segment| segment.parse::<TunnelKey>().is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_url_below_a_tunnel_has_a_path_of_its_own() {
        for (url, expected) in [
            ("https://hooks.test/k3v2m2p7q4w6x5z6t3r2s2abca/", false),
            ("https://hooks.test/relay/k3v2m2p7q4w6x5z6t3r2s2abca", false),
            (
                "https://hooks.test/k3v2m2p7q4w6x5z6t3r2s2abca/podio/hook",
                true,
            ),
        ] {
            assert_eq!(has_path(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
