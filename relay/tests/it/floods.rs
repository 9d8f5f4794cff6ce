//! Tests floods of HTTP/2 frames (RFC 9113, section 10.5): each ends with its connection,
//! and webhooks on other connections are answered meanwhile.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::support::TestRelay;
use crate::support::http::{Connection, post};

/// First bytes of a connection, and its settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// POST, http, `/` and a host, in the static table of HPACK (RFC 7541, appendix A).
const REQUEST: &[u8] = b"\x83\x86\x84\x41\x01h";

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Number of frames per flood.
const FRAMES: u32 = 40_000;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// Name of a flood, its first bytes, and a function that returns its frames.
type Flood = (&'static str, Vec<u8>, fn(u32) -> Vec<u8>);

fn floods() -> Vec<Flood> {
    let open = |flags| frame(1, flags, 1, REQUEST);
    vec![
        ("settings", vec![], |_| frame(4, 0, 0, b"")),
        ("pings", vec![], |_| frame(6, 0, 0, b"12345678")),
        ("priorities", vec![], |n| {
            frame(2, 0, 2 * n + 1, b"\0\0\0\0\x10")
        }),
        ("windows", vec![], |_| frame(8, 0, 0, b"\0\0\0\x01")),
        ("unknown frames", vec![], |_| frame(0xbb, 0, 0, b"x")),
        ("requests that are reset", vec![], |n| {
            let stream = 2 * n + 1;
            let request = frame(1, END_HEADERS | END_STREAM, stream, REQUEST);
            [request, frame(3, 0, stream, b"\0\0\0\x08")].concat()
        }),
        ("streams beyond the limit", vec![], |n| {
            frame(1, END_HEADERS, 2 * n + 1, REQUEST)
        }),
        ("a head without an end", open(END_STREAM), |_| {
            frame(9, 0, 1, &b"\0\x01a\x01b".repeat(100))
        }),
        ("a head of nothing", open(END_STREAM), |_| {
            frame(9, 0, 1, b"")
        }),
        ("a body of nothing", open(END_HEADERS), |_| {
            frame(0, 0, 1, b"")
        }),
        ("padding", open(END_HEADERS), |_| {
            frame(0, 8, 1, b"\x02\0\0")
        }),
    ]
}

#[tokio::test]
async fn a_flood_of_http_2_frames_ends_and_keeps_no_webhook_waiting() {
    for (name, start, next) in floods() {
        let short = Duration::from_secs(2);
        let relay = TestRelay::start_configured(|config| {
            config.limits.head_timeout = short;
            config.limits.idle_timeout = short;
            config.limits.body_timeout = short;
        })
        .await;
        let mut agent = relay.agent("crm").await;
        let path = agent.path();
        let mut connection = Connection::open(relay.address).await;
        connection.send([PREFACE, &start].concat()).await;
        let mut flood = JoinSet::new();
        flood.spawn(async move {
            // Nothing is read, so the relay must not collect its answers to the frames.
            for first in (0..FRAMES).step_by(100) {
                let frames: Vec<u8> = (first..first + 100).flat_map(next).collect();
                connection.try_send(frames).await;
            }
            connection.read_until_closed().await;
        });

        for _ in 0..10 {
            assert_eq!(post(relay.address, &path, "x").await.status, 200, "{name}");
            agent.event().await;
        }
        crate::support::within(name, flood.join_next()).await;
        assert_eq!(post(relay.address, &path, "x").await.status, 200, "{name}");
        relay.stop().await;
    }
}
