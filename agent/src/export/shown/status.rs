//! Serializes the state of the link and the local service.

use serde::Serialize;

use crate::status::{ServiceState, Status};

/// The state of the agent at one moment.
#[derive(Debug, Serialize)]
pub struct ShownStatus<'a> {
    link: &'static str,
    link_reason: Option<&'a str>,
    service: &'static str,
    service_reason: Option<&'a str>,
    tunnel: Option<&'a str>,
    public_url: Option<&'a str>,
    target: Option<String>,
    waiting: u64,
    in_flight: usize,
}

impl<'a> From<&'a Status> for ShownStatus<'a> {
    fn from(status: &'a Status) -> Self {
        let (link, link_reason) = status.link.word_and_reason();
        let (service, service_reason) = match &status.service {
            ServiceState::Unknown => ("unknown", None),
            ServiceState::Up { .. } => ("up", None),
            ServiceState::Down { reason, .. } => ("down", Some(reason.as_str())),
        };
        Self {
            link,
            link_reason,
            service,
            service_reason,
            tunnel: status.tunnel.as_deref(),
            public_url: status.public_url.as_deref(),
            target: status.target.as_ref().map(ToString::to_string),
            waiting: status.backlog.saturating_add(status.pending),
            in_flight: status.in_flight,
        }
    }
}
