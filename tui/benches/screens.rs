//! What a person waits for on a large history: the first screen, a screen farther on, and the rows
//! of a filter. `cargo bench -p podtap-tui`; `PODTAP_BENCH_EVENTS` events, a million by default.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark, whose size is a setting of the person who runs it"
)]

use std::sync::LazyLock;

use divan::Bencher;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::config::{Config as AgentConfig, DeliveryConfig, PodioConfig, Retention};
use podtap_agent::history::{DeliveryState, NewEvent, Writer};
use podtap_agent::{Agent, AgentHandle, EventId, WebhookRequest};
use podtap_tui::{Config, Key, picture};
use ratatui::layout::Size;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

/// Events written in one transaction.
const GROUP: u64 = 5_000;

/// A large screen.
const SCREEN: Size = Size {
    width: 200,
    height: 60,
};

static HISTORY: LazyLock<History> = LazyLock::new(History::filled);

fn main() {
    divan::main();
}

#[divan::bench]
fn first_screen(bencher: Bencher<'_, '_>) {
    measure(bencher, "");
}

#[divan::bench]
fn ten_screens_down(bencher: Bencher<'_, '_>) {
    measure(bencher, &"pgdn ".repeat(10));
}

#[divan::bench]
fn the_oldest_event(bencher: Bencher<'_, '_>) {
    measure(bencher, "G");
}

#[divan::bench]
fn a_filter_by_field(bencher: Bencher<'_, '_>) {
    measure(bencher, "/ i t e m : 4 7");
}

#[divan::bench]
fn a_filter_by_word(bencher: Bencher<'_, '_>) {
    measure(bencher, "/ B U G - 4 7 0 1");
}

fn measure(bencher: Bencher<'_, '_>, keys: &str) {
    let history = &*HISTORY;
    let keys: Vec<Key> = keys
        .split_whitespace()
        .map(|key| key.parse().unwrap())
        .collect();
    bencher.bench(|| {
        let (agent, now) = (history.handle.clone(), Timestamp::now());
        let frame = picture::frame(agent, Config::default(), SCREEN, now, &keys);
        history.runtime.block_on(frame)
    });
}

struct History {
    runtime: Runtime,
    handle: AgentHandle,
    _agent: Agent,
    _folder: TempDir,
}

impl History {
    fn filled() -> Self {
        let events = std::env::var("PODTAP_BENCH_EVENTS").ok();
        let events = events
            .and_then(|text| text.parse().ok())
            .unwrap_or(1_000_000);
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let config = AgentConfig {
            history: folder.path().join("bench.db"),
            link: None,
            target: None,
            delivery: DeliveryConfig::default(),
            retention: Retention::default(),
            podio: PodioConfig::default(),
        };
        let (agent, handle) = Agent::open(config).unwrap();
        let (changes, _) = broadcast::channel(1);
        let (writer, thread) = Writer::open(handle.history().path(), changes).unwrap();
        runtime.block_on(async {
            let start = Timestamp::now() - SignedDuration::from_hours(24);
            for group in 0..events / GROUP {
                let numbers = group * GROUP..(group + 1) * GROUP;
                let group = numbers.map(|number| event(start, number)).collect();
                writer.append(group).await.unwrap();
            }
            thread.close().await;
        });
        Self {
            runtime,
            handle,
            _agent: agent,
            _folder: folder,
        }
    }
}

fn event(start: Timestamp, number: u64) -> NewEvent {
    let received_at = start + SignedDuration::from_millis(i64::try_from(number).unwrap());
    let (item, revision) = (number % 10_000, number / 10_000);
    let body = format!(
        "type=item.update&item_id={item}&item_revision_id={revision}&hook_id=9&external_id=BUG-{item}"
    );
    NewEvent {
        id: EventId::from_parts(received_at, u128::from(number)),
        seq: None,
        request: WebhookRequest {
            received_at,
            method: "POST".to_owned(),
            path: "/podio/hook".to_owned(),
            headers: [("content-type", "application/x-www-form-urlencoded")]
                .into_iter()
                .collect(),
            peer: None,
            body: body.into(),
        },
        state: DeliveryState::Held,
    }
}
