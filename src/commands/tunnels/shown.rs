//! Tunnels as lines for people and as JSON for programs.

use bytesize::ByteSize;
use jiff::Timestamp;
use podtap_agent::export::json::text::to_line;
use podtap_wire::TunnelName;
use podtap_wire::manage::{ConnectedAgent, Rotated};
use serde::Serialize;

use super::access::Found;
use crate::output::printable;

/// One tunnel, for people.
pub(super) fn line(Found { owner, tunnel }: &Found) -> String {
    let mut parts = Vec::new();
    if let Some(owner) = owner {
        parts.push(format!("{:12}", printable(owner)));
    }
    parts.push(format!("{:14}", tunnel.name));
    parts.push(printable(&tunnel.url));
    parts.push(match tunnel.waiting_events {
        0 => "nothing waits".to_owned(),
        waiting => format!("{waiting} waiting ({})", ByteSize(tunnel.waiting_bytes)),
    });
    parts.push(match tunnel.last_event_at {
        Some(at) => format!("last event {at:.0}"),
        None => "no event yet".to_owned(),
    });
    parts.push(match &tunnel.connected {
        Some(agent) => connected(agent),
        None => "not connected".to_owned(),
    });
    if let Some(until) = tunnel.old_url_until {
        parts.push(format!("old URL until {until:.0}"));
    }
    parts.join("  ")
}

fn connected(agent: &ConnectedAgent) -> String {
    let host = agent.host.as_deref().map(printable);
    let host = host.map_or_else(String::new, |host| format!(" on {host}"));
    format!(
        "connected since {:.0}{host} ({})",
        agent.since,
        printable(&agent.peer)
    )
}

/// One tunnel, for programs.
pub(super) fn object(Found { owner, tunnel }: &Found) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        v: u8,
        r#type: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        owner: Option<&'a str>,
        name: &'a str,
        url: &'a str,
        old_url_until: Option<String>,
        created_at: String,
        waiting_events: u64,
        waiting_bytes: u64,
        last_event_at: Option<String>,
        connected: Option<Agent<'a>>,
    }
    #[derive(Serialize)]
    struct Agent<'a> {
        since: String,
        host: Option<&'a str>,
        peer: &'a str,
    }
    let connected = tunnel.connected.as_ref();
    to_line(&Object {
        v: 1,
        r#type: "tunnel",
        owner: owner.as_deref(),
        name: tunnel.name.as_str(),
        url: &tunnel.url,
        old_url_until: tunnel.old_url_until.map(millis),
        created_at: millis(tunnel.created_at),
        waiting_events: tunnel.waiting_events,
        waiting_bytes: tunnel.waiting_bytes,
        last_event_at: tunnel.last_event_at.map(millis),
        connected: connected.map(|agent| Agent {
            since: millis(agent.since),
            host: agent.host.as_deref(),
            peer: &agent.peer,
        }),
    })
}

/// A tunnel's new URL, for programs.
pub(super) fn rotated(name: &TunnelName, rotated: &Rotated) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        v: u8,
        r#type: &'static str,
        name: &'a str,
        url: &'a str,
        old_url_until: Option<String>,
    }
    to_line(&Object {
        v: 1,
        r#type: "rotated",
        name: name.as_str(),
        url: &rotated.url,
        old_url_until: rotated.old_url_until.map(millis),
    })
}

fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}
