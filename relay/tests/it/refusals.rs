//! Tests each reason for which a webhook is refused: it is counted by its name, and the
//! tunnel's agent is informed.

use std::time::Duration;

use podtap_relay::{Rate, RelayConfig};
use podtap_wire::{Notice, RelayFrame};

use crate::support::http::{Connection, get, post};
use crate::support::{Agent, TestRelay, eventually, within};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// A relay that refuses for one reason, the agent of the tunnel, and connections that stay
/// open meanwhile.
struct Scene {
    relay: TestRelay,
    agent: Agent,
    path: String,
    open: Vec<Connection>,
}

impl Scene {
    async fn new(change: impl FnOnce(&mut RelayConfig)) -> Self {
        let relay = TestRelay::start_configured(change).await;
        let agent = relay.agent("crm").await;
        let path = format!("{}/hook", agent.path());
        Self {
            relay,
            agent,
            path,
            open: Vec::new(),
        }
    }

    /// Sends these bytes on a connection that stays open. `PATH` is replaced with the tunnel's
    /// path.
    async fn send(&mut self, bytes: impl AsRef<str>) -> &mut Connection {
        let bytes = bytes.as_ref().replace("PATH", &self.path);
        let mut connection = Connection::open(self.relay.address).await;
        connection.try_send(bytes).await;
        self.open.push(connection);
        self.open.last_mut().unwrap()
    }

    /// Starts a webhook that announces `length` bytes and sends `sent` of them.
    async fn begin(&mut self, length: usize, sent: usize, headers: &str) {
        let head = format!("POST PATH HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n");
        let body = "x".repeat(sent);
        self.send(format!("{head}{headers}\r\n{body}")).await;
    }

    /// Posts webhooks of this size until one is refused, which may also be one of those that
    /// stay open.
    async fn fill_until_refused(&self, size: usize, reason: &str) {
        let body = vec![b'x'; size];
        let refused = || async {
            post(self.relay.address, &self.path, &body).await;
            self.relay.refusal_count(reason).await > 0
        };
        eventually(reason, refused).await;
    }

    async fn post_from(&self, source: &str) {
        let mut connection = Connection::open_from(source, self.relay.address).await;
        let path = &self.path;
        let webhook = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        connection.send(webhook).await;
        connection.reply("POST").await;
    }

    /// Checks what the agent receives, and that the refusal was counted.
    async fn has_told(mut self, reason: &str, words: &str) {
        let told = within(reason, async {
            loop {
                match self.agent.frame().await {
                    Some(RelayFrame::Notice(Notice::Refused {
                        count,
                        reason,
                        last_at,
                    })) => {
                        assert!(count > 0 && last_at.as_second() > 0);
                        break reason;
                    }
                    Some(RelayFrame::Event(_)) => {}
                    other => panic!("{reason}: {other:?}"),
                }
            }
        })
        .await;
        assert!(told.contains(words), "{reason}: {told}");
        assert!(self.relay.refusal_count(reason).await > 0, "{reason}");
        drop(self.open);
        drop(self.agent);
        self.relay.stop().await;
    }
}

/// Returns all reasons.
async fn reasons() -> Vec<String> {
    let relay = TestRelay::new().await;
    let metrics = get(relay.admin, "/metrics").await.text();
    relay.stop().await;
    let reasons = { metrics.lines() }.filter_map(|line| {
        let rest = line.strip_prefix("podtap_events_refused_total{reason=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    });
    reasons.collect()
}

/// Makes the relay refuse a webhook for this reason. Returns the text that the agent must receive.
async fn provoke(reason: &str) -> (Scene, &'static str) {
    if let Some(provoked) = Box::pin(by_a_request(reason)).await {
        provoked
    } else if let Some(provoked) = Box::pin(by_many(reason)).await {
        provoked
    } else if let Some(provoked) = Box::pin(by_what_waits(reason)).await {
        provoked
    } else if let Some(provoked) = Box::pin(by_want_of_memory(reason)).await {
        provoked
    } else {
        panic!("no test provokes {reason}")
    }
}

/// Provokes the reasons that are due to the request itself.
async fn by_a_request(reason: &str) -> Option<(Scene, &'static str)> {
    let standard = |_: &mut RelayConfig| {};
    Some(match reason {
        "host" => {
            let mut scene = Scene::new(standard).await;
            scene.send("POST PATH HTTP/1.1\r\n\r\n").await;
            (scene, "one valid host")
        }
        "method" => {
            let only_post = |config: &mut RelayConfig| config.methods = "POST".parse().unwrap();
            let mut scene = Scene::new(only_post).await;
            scene.send("GET PATH HTTP/1.1\r\nHost: h\r\n\r\n").await;
            (scene, "this method")
        }
        "unknown-method" => {
            let mut scene = Scene::new(standard).await;
            scene.send("post PATH HTTP/1.1\r\nHost: h\r\n\r\n").await;
            (scene, "not an HTTP method")
        }
        "transfer-coding" => {
            let mut scene = Scene::new(standard).await;
            let packed =
                "POST PATH HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
            scene.send(packed).await;
            (scene, "single `chunked`")
        }
        "service-worker" => {
            let mut scene = Scene::new(standard).await;
            let worker = "GET PATH HTTP/1.1\r\nHost: h\r\nService-Worker: script\r\n\r\n";
            scene.send(worker).await;
            (scene, "service workers")
        }
        "too-large" => {
            let scene = Scene::new(|config| config.limits.max_body_bytes = 9).await;
            assert_eq!(
                post(scene.relay.address, &scene.path, [b'x'; 10])
                    .await
                    .status,
                413
            );
            (scene, "body over 9 bytes")
        }
        "slow" => {
            let short = Duration::from_millis(200);
            let mut scene = Scene::new(|config| config.limits.body_timeout = short).await;
            scene.begin(9, 3, "").await;
            (scene, "did not arrive in time")
        }
        "broken" => {
            let mut scene = Scene::new(standard).await;
            scene.begin(9, 3, "").await;
            scene.open.last_mut().unwrap().close_half().await;
            (scene, "ended early")
        }
        _ => return None,
    })
}

/// Provokes the reasons that are due to too many requests.
async fn by_many(reason: &str) -> Option<(Scene, &'static str)> {
    Some(match reason {
        "rate" | "share-of-rate" => {
            let few = Rate {
                per_second: 0.001,
                burst: 16.0,
            };
            let scene = Scene::new(|config| config.limits.max_rate = Some(few)).await;
            if reason == "share-of-rate" {
                scene.fill_until_refused(1, reason).await;
                return Some((scene, "from one address"));
            }
            // From two addresses, so that neither exceeds its share.
            for number in 0..17 {
                scene
                    .post_from(&format!("127.0.0.{}", 2 + number % 2))
                    .await;
            }
            (scene, "too many webhooks for this tunnel")
        }
        "peer-rate" => {
            let few = Rate {
                per_second: 0.001,
                burst: 2.0,
            };
            let scene = Scene::new(|config| config.limits.max_rate_per_peer = Some(few)).await;
            for _ in 0..3 {
                scene.post_from("127.0.0.2").await;
            }
            (scene, "too many webhooks from this address")
        }
        _ => return None,
    })
}

/// Provokes the reasons that are due to queued events.
async fn by_what_waits(reason: &str) -> Option<(Scene, &'static str)> {
    Some(match reason {
        "queue-full" => {
            let scene = Scene::new(|config| config.limits.max_queue_events = 2).await;
            scene.fill_until_refused(1, reason).await;
            (scene, "queue is full")
        }
        "owner-queue-full" => {
            let scene = Scene::new(|config| config.limits.max_owner_queue_events = 2).await;
            scene.fill_until_refused(1, reason).await;
            (scene, "queues of this tunnel's owner are full")
        }
        "share-of-disk" => {
            let total = Some(4 * MIB as u64);
            let scene = Scene::new(|config| config.limits.max_total_queue_bytes = total).await;
            scene.fill_until_refused(MIB / 2, reason).await;
            (scene, "the storage share of this tunnel")
        }
        "all-queues-full" => {
            let total = Some(MIB as u64 / 2);
            let scene = Scene::new(|config| config.limits.max_total_queue_bytes = total).await;
            scene.fill_until_refused(MIB / 2, reason).await;
            (scene, "the relay's queues are full")
        }
        "no-space" => {
            let scene = Scene::new(|config| config.limits.min_free_bytes = u64::MAX).await;
            scene.fill_until_refused(1, reason).await;
            (scene, "disk is nearly full")
        }
        _ => return None,
    })
}

/// Provokes the reasons that are due to memory in use, and to slow storage.
async fn by_want_of_memory(reason: &str) -> Option<(Scene, &'static str)> {
    Some(match reason {
        "memory" => {
            let mut scene = Scene::new(|config| config.limits.max_inflight_bytes = 5000).await;
            scene.begin(4001, 4000, "").await;
            scene.fill_until_refused(2000, reason).await;
            (scene, "the relay is busy")
        }
        "tunnel-memory" => {
            let mut scene = Scene::new(|config| {
                config.limits.max_body_bytes = MIB;
                config.limits.max_inflight_bytes = 8 * MIB;
                config.limits.min_body_rate = None;
            })
            .await;
            scene.begin(MIB, MIB - 1, "").await;
            scene.fill_until_refused(200 * KIB, reason).await;
            (scene, "receives too much at the same time")
        }
        "head-memory" => {
            let mut scene = Scene::new(|config| config.limits.max_head_memory = 256 * KIB).await;
            let header = format!("X-Long: {}\r\n", "x".repeat(12 * KIB));
            for _ in 0..3 {
                scene.begin(9, 3, &header).await;
            }
            (scene, "the relay is busy")
        }
        "unavailable" => {
            let scene = Scene::new(|config| config.limits.store_timeout = Duration::ZERO).await;
            scene.fill_until_refused(1, reason).await;
            (scene, "cannot store webhooks now")
        }
        _ => return None,
    })
}

#[tokio::test]
async fn each_refusal_is_counted_by_its_reason_and_told_to_the_tunnels_agent() {
    let reasons = reasons().await;
    assert!(reasons.len() >= 21, "{reasons:?}");
    for reason in reasons {
        // An unknown tunnel has no agent.
        if reason != "unknown-tunnel" {
            let (scene, words) = within(&reason, provoke(&reason)).await;
            scene.has_told(&reason, words).await;
        }
    }
}
