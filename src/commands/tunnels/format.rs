//! Formats tunnels as lines for people and as JSON for programs.

use jiff::Timestamp;
use podtap_agent::amount::size;
use podtap_wire::TunnelName;
use podtap_wire::manage::{ConnectedAgent, RotatedTunnel};
use serde::Serialize;

use super::access::OwnedTunnel;
use crate::output::{json, table};

/// Formats tunnels as a table, with an owner column if there are several owners.
pub(super) fn table(tunnels: &[OwnedTunnel]) -> Vec<String> {
    let mine = |found: &OwnedTunnel| found.owner.is_none();
    if tunnels.iter().all(mine) {
        let headings = ["NAME", "URL", "WAITING", "LAST EVENT", "AGENT"];
        let rows: Vec<_> = tunnels.iter().map(cells).collect();
        return table::table(headings, &rows);
    }
    let headings = ["OWNER", "NAME", "URL", "WAITING", "LAST EVENT", "AGENT"];
    let rows: Vec<_> = tunnels.iter().map(owned_row).collect();
    table::table(headings, &rows)
}

fn owned_row(found: &OwnedTunnel) -> [String; 6] {
    let [name, url, waiting, last, agent] = cells(found);
    let owner = found.owner.clone().unwrap_or_default();
    [owner, name, url, waiting, last, agent]
}

fn cells(OwnedTunnel { tunnel, .. }: &OwnedTunnel) -> [String; 5] {
    let waiting = match tunnel.waiting_events {
        0 => "none".to_owned(),
        waiting => {
            let oldest = tunnel.oldest_waiting_at;
            let since = oldest.map_or_else(String::new, |at| format!(" since {at:.0}"));
            format!("{waiting} ({}){since}", size(tunnel.waiting_bytes))
        }
    };
    let last = match tunnel.last_event_at {
        Some(at) => format!("{at:.0}"),
        None => "never".to_owned(),
    };
    let mut agent = match &tunnel.connected {
        Some(agent) => agent_text(agent),
        None => "not connected".to_owned(),
    };
    if let Some(until) = tunnel.old_url_until {
        agent.push_str(&format!("  (old URL until {until:.0})"));
    }
    let name = tunnel.name.to_string();
    [name, tunnel.url.clone(), waiting, last, agent]
}

fn agent_text(agent: &ConnectedAgent) -> String {
    let host = agent.host.as_ref();
    let host = host.map_or_else(String::new, |host| format!(" on {host}"));
    format!("connected since {:.0}{host} ({})", agent.since, agent.peer)
}

/// Formats one tunnel as JSON.
pub(super) fn object(OwnedTunnel { owner, tunnel }: &OwnedTunnel) -> String {
    #[derive(Serialize)]
    struct ListedTunnelObject<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        owner: Option<&'a str>,
        name: &'a str,
        url: &'a str,
        old_url_until: Option<String>,
        created_at: String,
        waiting_events: u64,
        waiting_bytes: u64,
        oldest_waiting_at: Option<String>,
        last_event_at: Option<String>,
        refused: Vec<RefusedObject<'a>>,
        connected: Option<AgentObject<'a>>,
    }
    #[derive(Serialize)]
    struct AgentObject<'a> {
        since: String,
        host: Option<&'a str>,
        peer: &'a str,
    }
    #[derive(Serialize)]
    struct RefusedObject<'a> {
        count: u64,
        reason: &'a str,
        last_at: String,
    }
    let connected = tunnel.connected.as_ref();
    let refused = tunnel.refused.iter().map(|refused| RefusedObject {
        count: refused.count,
        reason: &refused.reason,
        last_at: millis(refused.last_at),
    });
    let object = ListedTunnelObject {
        owner: owner.as_deref(),
        name: tunnel.name.as_str(),
        url: &tunnel.url,
        old_url_until: tunnel.old_url_until.map(millis),
        created_at: millis(tunnel.created_at),
        waiting_events: tunnel.waiting_events,
        waiting_bytes: tunnel.waiting_bytes,
        oldest_waiting_at: tunnel.oldest_waiting_at.map(millis),
        last_event_at: tunnel.last_event_at.map(millis),
        refused: refused.collect(),
        connected: connected.map(|agent| AgentObject {
            since: millis(agent.since),
            host: agent.host.as_deref(),
            peer: &agent.peer,
        }),
    };
    json::line("tunnel", &object)
}

/// Formats a tunnel's new URL as JSON.
pub(super) fn rotated_json(name: &TunnelName, rotated: &RotatedTunnel) -> String {
    #[derive(Serialize)]
    struct RotatedObject<'a> {
        name: &'a str,
        url: &'a str,
        old_url_until: Option<String>,
    }
    let object = RotatedObject {
        name: name.as_str(),
        url: &rotated.url,
        old_url_until: rotated.old_url_until.map(millis),
    };
    json::line("rotated", &object)
}

fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}
