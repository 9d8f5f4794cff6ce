//! The source of the demo: posts what Podio would, to the tunnel's public URL, as a small team at
//! work would cause it. Items live: they are created, changed revision by revision, commented on,
//! get files and are deleted now and then.

use std::time::Duration;

use bytes::Bytes;
use form_urlencoded::Serializer;
use http::{Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use podtap_podio::{EventType, sample};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// Sends events to one URL.
pub(crate) struct Source {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    world: World,
}

impl Source {
    /// A source whose stream is the same for the same seed.
    pub(crate) fn new(url: String, seed: u64) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self {
            client,
            url,
            world: World::new(seed),
        }
    }

    /// Sends `events` (or without end), `rate` a second on average, until cancelled.
    pub(crate) async fn run(
        mut self,
        rate: f64,
        events: Option<u64>,
        token: CancellationToken,
    ) -> Result<(), Failure> {
        let mut sent = 0;
        while events.is_none_or(|events| sent < events) {
            self.send().await?;
            sent += 1;
            tokio::select! {
                () = token.cancelled() => return Ok(()),
                () = tokio::time::sleep(self.world.pause(rate)) => {}
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let body = self.world.next_body();
        let request = Request::post(format!("{}podio/hook", self.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::USER_AGENT, "Podio Webhook (demo)")
            .body(Full::from(body))
            .map_err(|error| Failure::because("the demo's request cannot be built", &error))?;
        let response = self.client.request(request).await;
        match response {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => {
                tracing::warn!(status = %response.status(), "the relay refused a demo webhook");
                Ok(())
            }
            Err(error) => Err(Failure::because(
                "the demo cannot reach its own relay",
                &error,
            )),
        }
    }
}

/// The team's items and a seeded source of chance.
struct World {
    chance: fastrand::Rng,
    items: Vec<Item>,
    next_id: u64,
}

struct Item {
    id: u64,
    revision: u64,
}

/// Where the ids of 2026 are (podio.md, section 6).
const FIRST_ITEM: u64 = 3_276_908_608;

/// Items alive at once; enough for variety, few enough that one sees them again.
const MAX_ITEMS: usize = 12;

impl World {
    fn new(seed: u64) -> Self {
        Self {
            chance: fastrand::Rng::with_seed(seed),
            items: Vec::new(),
            next_id: FIRST_ITEM,
        }
    }

    /// People work in bursts: most pauses are short, some long; the mean is `1 / rate`.
    fn pause(&mut self, rate: f64) -> Duration {
        let exponential = -(1.0 - self.chance.f64()).ln() / rate;
        Duration::try_from_secs_f64(exponential)
            .unwrap_or_default()
            .min(Duration::from_secs(5))
    }

    fn next_body(&mut self) -> Bytes {
        let event = self.next_event();
        let mut params = sample(event);
        match event {
            EventType::ItemCreate => self.create(&mut params),
            EventType::ItemDelete => self.delete(&mut params),
            EventType::ItemUpdate | EventType::CommentCreate | EventType::FileChange => {
                self.touch(event, &mut params);
            }
            _ => {}
        }
        // Podio's order is not stable (podio.md, section 1.2).
        self.chance.shuffle(&mut params);
        Serializer::new(String::new())
            .extend_pairs(params)
            .finish()
            .into()
    }

    fn next_event(&mut self) -> EventType {
        if self.items.len() < 3 {
            return EventType::ItemCreate;
        }
        match self.chance.u8(0..100) {
            0..50 => EventType::ItemUpdate,
            50..65 => EventType::CommentCreate,
            65..75 if self.items.len() < MAX_ITEMS => EventType::ItemCreate,
            65..82 => EventType::FileChange,
            82..86 => EventType::ItemDelete,
            86..92 => EventType::TaskCreate,
            92..95 => EventType::TaskUpdate,
            95..97 => EventType::MemberAdd,
            97 => EventType::StatusCreate,
            98 => EventType::FormUpdate,
            _ => EventType::AppUpdate,
        }
    }

    fn create(&mut self, params: &mut [(String, String)]) {
        let id = self.next_id;
        self.next_id += self.chance.u64(1..90);
        set(params, "item_id", id);
        set(
            params,
            "external_id",
            format_args!("order-{}", 10_000 + id % 10_000),
        );
        self.items.push(Item { id, revision: 0 });
    }

    fn delete(&mut self, params: &mut [(String, String)]) {
        let item = self
            .items
            .swap_remove(self.chance.usize(..self.items.len()));
        set(params, "item_id", item.id);
        set(params, "item_revision_id", item.revision + 1);
    }

    fn touch(&mut self, event: EventType, params: &mut [(String, String)]) {
        let chosen = self.chance.usize(..self.items.len());
        let Some(item) = self.items.get_mut(chosen) else {
            return;
        };
        set(params, "item_id", item.id);
        if event == EventType::ItemUpdate {
            item.revision += 1;
            set(params, "item_revision_id", item.revision);
        }
        if event == EventType::CommentCreate {
            set(
                params,
                "comment_id",
                1_489_203_375 + item.id % 977 + item.revision,
            );
        }
    }
}

fn set(params: &mut [(String, String)], name: &str, value: impl std::fmt::Display) {
    if let Some((_, old)) = params.iter_mut().find(|(known, _)| known == name) {
        *old = value.to_string();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn the_stream_is_varied_and_its_revisions_follow_each_other() {
        let mut world = World::new(7);
        let mut types = HashSet::new();
        let mut revisions: HashMap<u64, u64> = HashMap::new();

        for _ in 0..1_000 {
            let body = world.next_body();
            let event =
                podtap_podio::decode(Some("application/x-www-form-urlencoded"), &body).unwrap();
            types.insert(event.kind.as_str().to_owned());
            if let (Some(item), Some(revision)) = (event.id("item_id"), event.revision()) {
                let expected = revisions.get(&item).map_or(0, |last| last + 1);
                assert_eq!(revision, expected, "{event:?}");
                revisions.insert(item, revision);
            }
        }

        assert!(types.len() >= 10, "{types:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let stream = |seed| {
            let mut world = World::new(seed);
            (0..50).map(|_| world.next_body()).collect::<Vec<_>>()
        };
        assert_eq!(stream(1), stream(1));
        assert_ne!(stream(1), stream(2));
    }
}
