//! The tunnels that a page shows: one, or those of `podtap up`. A request names its tunnel; without
//! a name, it is about the first one.

use http::StatusCode;
use podtap_agent::AgentHandle;
use podtap_agent::export::shown::ShownStatus;
use serde::Serialize;

use crate::answer::{PageAnswer, json};

/// The tunnels to show.
#[derive(Debug, Clone, Default)]
pub struct PageTunnels {
    /// The tunnels that run, each with its name.
    pub open: Vec<(String, AgentHandle)>,
    /// The tunnels that could not be opened, each with its name and the reason.
    pub failed: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
struct TunnelObject<'a> {
    name: &'a str,
    status: Option<ShownStatus<'a>>,
    /// Why the tunnel does not run.
    failed: Option<&'a str>,
}

impl PageTunnels {
    /// Creates the list with a single tunnel.
    pub fn one(name: impl Into<String>, handle: AgentHandle) -> Self {
        Self {
            open: vec![(name.into(), handle)],
            failed: Vec::new(),
        }
    }

    /// Returns the tunnel that a query names, and the rest of the query.
    pub(crate) fn find(&self, query: &str) -> Option<(&AgentHandle, String)> {
        let mut rest = form_urlencoded::Serializer::new(String::new());
        let mut named = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if name == "tunnel" {
                named = Some(value.into_owned());
            } else {
                rest.append_pair(&name, &value);
            }
        }
        let found = match named {
            Some(named) => self.open.iter().find(|(name, _)| *name == named),
            None => self.open.first(),
        };
        found.map(|(_, handle)| (handle, rest.finish()))
    }

    /// Returns whether there is a tunnel with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.open.iter().any(|(known, _)| known == name)
    }

    /// Returns all tunnels and their states.
    pub(crate) fn list(&self) -> PageAnswer {
        let statuses: Vec<_> = self
            .open
            .iter()
            .map(|(_, handle)| handle.status())
            .collect();
        let seen: Vec<_> = statuses.iter().map(|status| status.borrow()).collect();
        let open = self.open.iter().zip(&seen);
        let open = open.map(|((name, _), status)| TunnelObject {
            name,
            status: Some(ShownStatus::from(&**status)),
            failed: None,
        });
        let failed = self.failed.iter().map(|(name, reason)| TunnelObject {
            name,
            status: None,
            failed: Some(reason),
        });
        json(&open.chain(failed).collect::<Vec<_>>())
    }
}

/// Returns the answer to a request for an unknown tunnel.
pub(crate) fn unknown_tunnel() -> PageAnswer {
    crate::answer::error(StatusCode::NOT_FOUND, "this page has no such tunnel")
}
