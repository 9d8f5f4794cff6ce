//! Checks the relay itself: its certificate, whether it accepts webhooks, its clock,
//! and that a websocket to it stays open. No check takes the tunnel away from an agent.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use podtap_agent::amount;
use podtap_agent::config::LinkConfig;
use podtap_agent::probe::{Readiness, RelayProbe, TlsProbe, WebsocketFault};
use podtap_agent::{AskError, DialError, TunnelClient};
use podtap_connect::tls::Trust;
use podtap_wire::TunnelName;
use podtap_wire::manage::TunnelList;
use secrecy::SecretString;

use super::finding::LinkFinding;
use super::network::{ResolvedRelay, no_relay};
use super::walk::LinkResult;
use crate::commands::link::HOW_TO_GET_A_TOKEN;
use crate::config::{Secret, Settings};

/// Remaining validity at which a certificate should already have been
/// renewed: it is usually issued for 90 days and renewed after 60.
const RENEWED_BY: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A difference between the clocks that network delay can explain.
const SMALL_SKEW: SignedDuration = SignedDuration::from_secs(10);

/// A difference between the clocks at which times are useless and certificates may be refused.
const LARGE_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Duration of the silence on the websocket.
const SILENCE: Duration = Duration::from_secs(3);

/// Maximum time for a pong.
const PONG_LIMIT: Duration = Duration::from_secs(4);

/// Sent if no token is set: the links before the token need none.
const NO_TOKEN: &str = "none";

/// Connects to the relay with TLS.
pub(super) async fn tls(
    settings: &Settings,
    relay: Option<ResolvedRelay>,
) -> LinkResult<RelayProbe> {
    let Some(relay) = relay else {
        return Err(no_relay());
    };
    let trust = settings.trust().map_err(LinkFinding::of_setting)?;
    let link = link(&relay, SecretString::from(NO_TOKEN), without_name()?);
    let probe = RelayProbe::new(&link, &trust).map_err(|error| of_dial(&error))?;
    match probe.secure().await {
        Ok(None) => {
            let detail = "none: the relay's URL is http";
            Ok((LinkFinding::good(detail), probe))
        }
        Ok(Some(secured)) => Ok((judge_certificate(&secured, Timestamp::now()), probe)),
        Err(why) => Err(LinkFinding::new_broken(why, cure_of_tls(&relay))),
    }
}

fn cure_of_tls(relay: &ResolvedRelay) -> String {
    let host = relay.url.host_str().unwrap_or_default();
    format!(
        "ask the relay's operator for a certificate for {host}; with one of your own, add \
         --ca-file FILE. If every site fails, check this machine's clock, and whether a proxy \
         intercepts TLS"
    )
}

/// Reports when a valid certificate expires, and its chain.
fn judge_certificate(secured: &TlsProbe, now: Timestamp) -> LinkFinding {
    let chain = match secured.chain {
        1 => "1 certificate".to_owned(),
        several => format!("a chain of {several} certificates"),
    };
    let Some(until) = secured.valid_until else {
        return LinkFinding::good(chain);
    };
    let left = until.duration_since(now);
    let days = left.as_hours() / 24;
    let detail = format!("{chain}, valid for {days} more days");
    if left < RENEWED_BY {
        return LinkFinding::doubtful(detail, "ask the relay's operator to renew it");
    }
    LinkFinding::good(detail)
}

/// Checks whether the relay accepts webhooks, and reads its version.
pub(super) async fn ready(probe: Option<&RelayProbe>) -> LinkResult<Readiness> {
    let probe = probe.ok_or_else(no_relay)?;
    let ready = probe.ready().await.map_err(|why| {
        LinkFinding::new_broken(
            why,
            "check that --relay is the URL of a podtap relay, with its path if it has one",
        )
    })?;
    let server = ready.server.as_deref().unwrap_or("an older podtap");
    if let Some(why) = &ready.not_ready {
        return Err(LinkFinding::new_broken(
            format!("{server} runs and refuses webhooks: {why}"),
            "tell the relay's operator; Podio retries webhooks that were refused with 503",
        ));
    }
    let detail = format!("{server} accepts webhooks");
    Ok((LinkFinding::good(detail), ready))
}

/// Checks whether both clocks agree.
pub(super) fn clock(ready: Option<&Readiness>, now: Timestamp) -> LinkResult<()> {
    let ready = ready.ok_or_else(no_relay)?;
    let Some(theirs) = ready.date else {
        return Err(LinkFinding::new_skipped("the relay's answer has no date"));
    };
    let ahead = now.duration_since(theirs);
    let by = ahead.abs();
    if by <= SMALL_SKEW {
        return Ok((LinkFinding::good("agrees with the relay's"), ()));
    }
    let side = if ahead.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    let detail = format!(
        "this machine's clock is {} {side} the relay's",
        amount::age(by)
    );
    let fix = "turn on network time (`timedatectl set-ntp true`) on the machine whose clock is \
         wrong";
    if by < LARGE_SKEW {
        return Ok((LinkFinding::doubtful(detail, fix), ()));
    }
    Err(LinkFinding::new_broken(detail, fix))
}

/// What a valid token gives access to.
pub(super) struct RelayAccess {
    pub(super) tunnels: TunnelList,
    link: LinkConfig,
    trust: Trust,
}

/// Checks the token: the relay must list the tunnels of its owner.
pub(super) async fn token(
    settings: &Settings,
    relay: Option<ResolvedRelay>,
) -> LinkResult<RelayAccess> {
    let Some(relay) = relay else {
        return Err(no_relay());
    };
    let Some(Secret { value, origin }) = settings.token().map_err(LinkFinding::of_setting)? else {
        return Err(LinkFinding::new_broken(
            "no token is set",
            HOW_TO_GET_A_TOKEN,
        ));
    };
    let trust = settings.trust().map_err(LinkFinding::of_setting)?;
    let link = link(&relay, value, without_name()?);
    let client = TunnelClient::new(&link, &trust).map_err(|error| of_dial(&error))?;
    match client.all().await {
        Ok(tunnels) => {
            let found = RelayAccess {
                tunnels,
                link,
                trust,
            };
            let detail = format!("the relay takes it (from {origin})");
            Ok((LinkFinding::good(detail), found))
        }
        Err(error) => Err(of_refusal(&error, &origin.to_string())),
    }
}

fn of_refusal(error: &AskError, origin: &str) -> LinkFinding {
    match error {
        AskError::Token(why) => LinkFinding::new_broken(
            format!("{why} (from {origin})"),
            "ask the relay's operator for a new token (`podtap relay token create NAME`); this one \
             may have been revoked",
        ),
        other => LinkFinding::new_broken(
            other.to_string(),
            "ask the relay's operator: the relay answers, but does not list its tunnels",
        ),
    }
}

/// Opens a websocket besides the agent's. It sends no `hello`, so it does not take over the tunnel.
pub(super) async fn websocket(admitted: Option<&RelayAccess>) -> LinkResult<()> {
    let admitted = admitted.ok_or_else(no_relay)?;
    let probe = RelayProbe::new(&admitted.link, &admitted.trust);
    let probe = probe.map_err(|error| of_dial(&error))?;
    match probe.websocket(SILENCE, PONG_LIMIT).await {
        Ok(took) => {
            let took = amount::duration(took.max(Duration::from_millis(1)));
            let detail = format!(
                "stays open for {} without traffic; a ping takes {took}",
                amount::limit(SILENCE)
            );
            Ok((LinkFinding::good(detail), ()))
        }
        Err(fault) => {
            let fix = match &fault {
                WebsocketFault::Refused(_) => {
                    "ask the operator of the relay, or of the proxy in front of it, to forward \
                     websockets (the headers Upgrade and Connection)"
                }
                WebsocketFault::Silent(_) | WebsocketFault::Cut { .. } => {
                    "a proxy on the way blocks or closes websockets: ask its operator to turn off \
                     buffering and to keep idle connections open for 60 s, or use another network"
                }
            };
            Err(LinkFinding::new_broken(fault.to_string(), fix))
        }
    }
}

fn link(relay: &ResolvedRelay, token: SecretString, tunnel: TunnelName) -> LinkConfig {
    let mut link = LinkConfig::new(relay.url.clone(), token, tunnel);
    link.proxy.clone_from(&relay.proxy);
    link
}

/// Returns a placeholder, since no tunnel is served.
fn without_name() -> Result<TunnelName, LinkFinding> {
    TunnelName::nearest("doctor")
        .ok_or_else(|| LinkFinding::new_skipped("the tunnel has no valid name"))
}

fn of_dial(error: &DialError) -> LinkFinding {
    let fix = match error {
        DialError::Relay { .. } => "check --relay",
        DialError::Tls(_) => "install the package ca-certificates, or add --ca-file FILE",
        DialError::Token => "copy the whole token again, without spaces",
    };
    LinkFinding::new_broken(error.to_string(), fix)
}

#[cfg(test)]
mod tests {
    use super::super::finding::LinkMark;
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn a_certificate_is_doubted_two_weeks_before_its_end() {
        for (days, expected) in [
            (90, LinkMark::Good),
            (15, LinkMark::Good),
            (13, LinkMark::Doubtful),
        ] {
            let left = SignedDuration::from_hours(24 * days + 1);
            let secured = TlsProbe {
                chain: 2,
                valid_until: Some(NOW.checked_add(left).unwrap()),
            };
            let found = judge_certificate(&secured, NOW);
            assert_eq!(found.mark, expected, "{days}");
            assert!(found.detail.contains(&format!("{days} more days")));
        }
    }

    #[test]
    fn clocks_may_differ_a_little() {
        for (ahead, expected, words) in [
            (2, LinkMark::Good, "agrees"),
            (-60, LinkMark::Doubtful, "1 min behind"),
            (60, LinkMark::Doubtful, "1 min ahead of"),
            (3_600, LinkMark::Broken, "1 h ahead of"),
            (-3_600, LinkMark::Broken, "1 h behind"),
        ] {
            let ready = Readiness {
                server: None,
                not_ready: None,
                date: Some(NOW),
            };
            let now = NOW.checked_add(SignedDuration::from_secs(ahead)).unwrap();
            let (Ok((found, ())) | Err(found)) = clock(Some(&ready), now);
            assert_eq!(found.mark, expected, "{ahead}");
            assert!(found.detail.contains(words), "{}", found.detail);
        }
    }
}
