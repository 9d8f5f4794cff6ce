//! Checks the tunnel on the relay: whether it exists, which agent serves it, how many events are
//! queued and how many were refused. Pure: the check of the token has already asked the relay.

use jiff::{SignedDuration, Timestamp};
use podtap_agent::HookUrls;
use podtap_agent::amount::{count, size};
use podtap_wire::TunnelName;
use podtap_wire::manage::{QueueLimits, TunnelEntry, TunnelList};

use super::finding::LinkFinding;
use super::walk::LinkResult;
use super::words::since;

/// Level of a queue, in percent, at which it may soon refuse webhooks.
const NEARLY_FULL: u64 = 90;

/// Older refusals are not reported: most likely their cause has passed.
const LATELY: SignedDuration = SignedDuration::from_hours(1);

/// Maximum number of other tunnels that are named.
const MAX_NAMES: usize = 5;

/// Judges the tunnel of this name.
pub(super) fn tunnel(
    list: &TunnelList,
    name: &TunnelName,
    urls: &HookUrls,
    now: Timestamp,
) -> LinkResult<TunnelEntry> {
    let Some(tunnel) = list.tunnels.iter().find(|tunnel| tunnel.name == *name) else {
        return Err(unknown_tunnel(list, name));
    };
    if let Some(full) = full(list, tunnel) {
        return Err(full);
    }
    if let Err(why) = urls.check(&tunnel.url) {
        let detail = format!("{name}: {why}");
        return Err(LinkFinding::new_broken(detail, why.cure()));
    }
    let waiting = waiting(tunnel, now);
    let lately = |at: Timestamp| now.duration_since(at) < LATELY;
    let refused = tunnel
        .refused
        .iter()
        .find(|refused| lately(refused.last_at));
    let finding = match (&tunnel.connected, refused) {
        (_, Some(refused)) => LinkFinding::doubtful(
            format!(
                "{name}: {} refused, {}: {}",
                count(refused.count, "webhook"),
                since(refused.last_at, now),
                refused.reason
            ),
            "Podio retries webhooks that were refused with 503; the relay's operator can raise its \
             limits",
        ),
        (None, None) => LinkFinding::doubtful(
            format!("{name}: no agent is connected; {waiting}"),
            format!("start `podtap listen --name {name}`: events wait on the relay until then"),
        ),
        (Some(agent), None) => {
            let host = agent.host.as_deref().unwrap_or("an unnamed machine");
            let connected = since(agent.since, now);
            LinkFinding::good(format!(
                "{name}: served by an agent on {host}, connected {connected}; {waiting}"
            ))
        }
    };
    Ok((finding, tunnel.clone()))
}

fn unknown_tunnel(list: &TunnelList, name: &TunnelName) -> LinkFinding {
    let others: Vec<_> = list
        .tunnels
        .iter()
        .map(|other| other.name.as_str())
        .collect();
    let known = match others.as_slice() {
        [] => "this token's owner has no tunnel yet".to_owned(),
        some if some.len() <= MAX_NAMES => format!("its tunnels are {}", some.join(", ")),
        some => {
            let named = some.get(..MAX_NAMES).unwrap_or_default();
            let more = some.len() - named.len();
            format!("its tunnels are {} and {more} more", named.join(", "))
        }
    };
    LinkFinding::new_broken(
        format!("the relay has no tunnel {name}; {known}"),
        format!("choose one with --name, or start `podtap listen --name {name}`, which creates it"),
    )
}

/// Returns the finding for a limit that leaves no room for another webhook.
fn full(list: &TunnelList, tunnel: &TunnelEntry) -> Option<LinkFinding> {
    let QueueLimits {
        max_events,
        max_bytes,
        max_owner_events,
        max_owner_bytes,
    } = list.limits;
    let sum = |of: fn(&TunnelEntry) -> u64| list.tunnels.iter().map(of).sum::<u64>();
    let (owner_events, owner_bytes) = (
        sum(|tunnel| tunnel.waiting_events),
        sum(|tunnel| tunnel.waiting_bytes),
    );
    let events = |has: u64, most: u64| format!("{has} of {most} events");
    let bytes = |has: u64, most: u64| format!("{} of {}", size(has), size(most));
    let limits = [
        (
            tunnel.waiting_events,
            max_events,
            "queue",
            events as fn(u64, u64) -> String,
        ),
        (tunnel.waiting_bytes, max_bytes, "queue", bytes),
        (owner_events, max_owner_events, "owner's queues", events),
        (owner_bytes, max_owner_bytes, "owner's queues", bytes),
    ];
    let is_full = |(has, most, ..): &&(u64, u64, _, _)| {
        *most > 0 && has.saturating_mul(100) >= most.saturating_mul(NEARLY_FULL)
    };
    let (has, most, what, words) = limits.iter().find(is_full)?;
    let name = &tunnel.name;
    Some(LinkFinding::new_broken(
        format!(
            "{name}: the {what} on the relay are nearly full: {}",
            words(*has, *most)
        )
        .replace("queue on the relay are", "queue on the relay is"),
        format!(
            "start `podtap listen --name {name}` to receive the queued events; `podtap tunnels \
             delete` deletes a tunnel that you no longer use"
        ),
    ))
}

fn waiting(tunnel: &TunnelEntry, now: Timestamp) -> String {
    let (events, bytes) = (tunnel.waiting_events, size(tunnel.waiting_bytes));
    match (events, tunnel.oldest_waiting_at) {
        (0, _) => "nothing waits".to_owned(),
        (_, None) => format!("{} ({bytes}) on the relay", count(events, "event")),
        (_, Some(oldest)) => format!(
            "{} ({bytes}) on the relay, the oldest from {}",
            count(events, "event"),
            since(oldest, now)
        ),
    }
}

#[cfg(test)]
mod tests {
    use podtap_wire::manage::{ConnectedAgent, RefusedWebhooks};

    use super::super::finding::LinkMark;
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn earlier(minutes: i64) -> Timestamp {
        NOW.checked_sub(SignedDuration::from_mins(minutes)).unwrap()
    }

    fn list(change: impl FnOnce(&mut TunnelEntry)) -> TunnelList {
        let mut tunnel = TunnelEntry {
            name: "crm".parse().unwrap(),
            url: "https://hooks.example.com/aaaaaaaaaaaaaaaaaaaaaaaaaa/".to_owned(),
            old_url_until: None,
            created_at: earlier(90),
            waiting_events: 0,
            waiting_bytes: 0,
            oldest_waiting_at: None,
            last_event_at: None,
            refused: Vec::new(),
            connected: Some(ConnectedAgent {
                since: earlier(5),
                host: Some("laptop".to_owned()),
                peer: "192.0.2.1".to_owned(),
            }),
        };
        change(&mut tunnel);
        TunnelList {
            tunnels: vec![tunnel],
            server: String::new(),
            limits: QueueLimits {
                max_events: 100,
                ..QueueLimits::default()
            },
        }
    }

    fn find_tunnel(list: &TunnelList, name: &str) -> (LinkMark, String) {
        let urls = HookUrls::new(&"https://api.podio.com".parse().unwrap(), None);
        let found = tunnel(list, &name.parse().unwrap(), &urls, NOW);
        let (Ok((found, _)) | Err(found)) = found;
        (found.mark, found.detail)
    }

    #[test]
    fn each_state_of_a_tunnel_has_its_words() {
        let refused = RefusedWebhooks {
            count: 12,
            reason: "body over 8 MiB".to_owned(),
            last_at: earlier(2),
        };
        for (list, name, mark, words) in [
            (
                list(|_| {}),
                "crm",
                LinkMark::Good,
                "on laptop, connected 5 min ago; nothing waits",
            ),
            (
                list(|_| {}),
                "shop",
                LinkMark::Broken,
                "no tunnel shop; its tunnels are crm",
            ),
            (
                list(|crm| {
                    crm.connected = None;
                    crm.waiting_events = 3;
                    crm.oldest_waiting_at = Some(earlier(60));
                }),
                "crm",
                LinkMark::Doubtful,
                "no agent is connected; 3 events (0 B) on the relay, the oldest from 1 h ago",
            ),
            (
                list(|crm| crm.refused.push(refused.clone())),
                "crm",
                LinkMark::Doubtful,
                "12 webhooks refused, 2 min ago: body over 8 MiB",
            ),
            (
                list(|crm| crm.waiting_events = 95),
                "crm",
                LinkMark::Broken,
                "the queue on the relay is nearly full: 95 of 100 events",
            ),
            (
                list(|crm| crm.url = "https://hooks.example.com:8443/x/".to_owned()),
                "crm",
                LinkMark::Broken,
                "Podio calls only ports 80 and 443, not 8443",
            ),
        ] {
            let (found, detail) = find_tunnel(&list, name);
            assert!(
                found == mark && detail.contains(words),
                "{found:?} {detail}"
            );
        }
    }

    #[test]
    fn a_relay_that_says_no_limits_is_never_full() {
        let mut list = list(|crm| crm.waiting_events = 95);
        list.limits = QueueLimits::default();
        assert_eq!(find_tunnel(&list, "crm").0, LinkMark::Good);
    }
}
