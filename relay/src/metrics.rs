//! Defines the metrics of a relay. Every part counts here, and `admin` shows them.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::refusal::Refusal;

/// Reasons why a connection may end before its first request. `server` decides which applies.
const HANDSHAKE_FAILURES: [&str; 6] = [
    "tls",
    "plain-text",
    "timeout",
    "room",
    "proxy-header",
    "proxy-stranger",
];

/// All metrics of one relay.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) sessions: Gauge,
    pub(crate) events_accepted: Counter,
    pub(crate) events_passed: Counter,
    pub(crate) bytes_accepted: Counter,
    pub(crate) events_sent: Counter,
    pub(crate) acknowledgements: Counter,
    pub(crate) take_overs: Counter,
    events_refused: Family<Reason, Counter>,
    connections_refused: Family<Reason, Counter>,
    connections_closed: Family<Reason, Counter>,
    commit_events: Histogram,
    commit_seconds: Histogram,
    queue_events: Gauge,
    queue_bytes: Gauge,
    handshakes_failed: Family<Reason, Counter>,
    certificate_until: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: ReasonName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ReasonName(&'static str);

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("podtap"),
            connections: Gauge::default(),
            sessions: Gauge::default(),
            events_accepted: Counter::default(),
            events_passed: Counter::default(),
            bytes_accepted: Counter::default(),
            events_sent: Counter::default(),
            acknowledgements: Counter::default(),
            take_overs: Counter::default(),
            events_refused: Family::default(),
            connections_refused: Family::default(),
            connections_closed: Family::default(),
            commit_events: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            queue_events: Gauge::default(),
            queue_bytes: Gauge::default(),
            handshakes_failed: Family::default(),
            certificate_until: Gauge::default(),
        };
        metrics.register();
        metrics.begin();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let connections = self.connections.clone();
        registry.register("connections", "Open connections", connections);
        registry.register("sessions", "Connected agents", self.sessions.clone());
        registry.register(
            "events_accepted",
            "Events stored",
            self.events_accepted.clone(),
        );
        registry.register(
            "events_passed",
            "Events answered by the local service and not stored",
            self.events_passed.clone(),
        );
        registry.register_with_unit(
            "accepted",
            "Bodies stored",
            Unit::Bytes,
            self.bytes_accepted.clone(),
        );
        registry.register(
            "events_refused",
            "Webhooks refused, by reason",
            self.events_refused.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections without a place, and agents that were not let in, by reason",
            self.connections_refused.clone(),
        );
        registry.register(
            "connections_closed",
            "Connections closed while they had no request, by reason",
            self.connections_closed.clone(),
        );
        let sent = self.events_sent.clone();
        registry.register("events_sent", "Events sent to agents", sent);
        registry.register(
            "acknowledgements",
            "Acknowledgements received",
            self.acknowledgements.clone(),
        );
        registry.register(
            "take_overs",
            "Sessions ended by a newer one",
            self.take_overs.clone(),
        );
        registry.register(
            "commit_events",
            "Events in one commit",
            self.commit_events.clone(),
        );
        registry.register_with_unit(
            "commit_duration",
            "Time of one commit",
            Unit::Seconds,
            self.commit_seconds.clone(),
        );
        let waiting = self.queue_events.clone();
        registry.register("queue_events", "Queued events", waiting);
        let waiting = self.queue_bytes.clone();
        registry.register_with_unit("queue", "Bytes of queued events", Unit::Bytes, waiting);
        registry.register(
            "handshakes_failed",
            "Connections that did not come to a first request, by reason",
            self.handshakes_failed.clone(),
        );
        registry.register_with_unit(
            "certificate_expiry_timestamp",
            "End of the relay's own certificate in Unix time, 0 without one",
            Unit::Seconds,
            self.certificate_until.clone(),
        );
    }

    /// Creates every series with the value zero, because a missing series looks like one that
    /// does not grow.
    fn begin(&self) {
        for refusal in Refusal::ALL {
            self.events_refused
                .get_or_create(&reason(refusal.name()))
                .inc_by(0);
        }
        for place in [
            "connections",
            "peer-connections",
            "descriptors",
            "sessions",
            "owner-sessions",
            "token",
            "refused-tokens",
        ] {
            self.connections_refused
                .get_or_create(&reason(place))
                .inc_by(0);
        }
        for why in HANDSHAKE_FAILURES {
            self.handshakes_failed.get_or_create(&reason(why)).inc_by(0);
        }
        for why in ["idle", "room"] {
            self.connections_closed
                .get_or_create(&reason(why))
                .inc_by(0);
        }
    }

    /// Counts a webhook that was refused.
    pub(crate) fn count_refused(&self, refusal: Refusal) {
        let reason = reason(refusal.name());
        self.events_refused.get_or_create(&reason).inc();
    }

    /// Counts a connection or an agent for which there was no place.
    pub(crate) fn connection_refused(&self, place: &'static str) {
        self.connections_refused.get_or_create(&reason(place)).inc();
    }

    /// Counts a connection that the relay closed by itself.
    pub(crate) fn connection_closed(&self, why: &'static str) {
        self.connections_closed.get_or_create(&reason(why)).inc();
    }

    /// Counts a connection that ended before its first request.
    pub(crate) fn handshake_failed(&self, why: &'static str) {
        self.handshakes_failed.get_or_create(&reason(why)).inc();
    }

    /// Returns when the current certificate expires, if there is one.
    pub(crate) fn certificate_end(&self) -> Option<Timestamp> {
        let end = self.certificate_until.get();
        (end != 0).then(|| Timestamp::from_second(end).ok())?
    }

    /// Sets when the certificate for new connections expires.
    pub(crate) fn certificate_until(&self, not_after: Timestamp) {
        self.certificate_until.set(not_after.as_second());
    }

    /// Counts one transaction of the queue.
    pub(crate) fn count_commit(&self, events: usize, took: Duration) {
        // The conversion is exact up to 2^52, far more than any batch.
        #[expect(
            clippy::cast_precision_loss,
            reason = "a batch has a few thousand events"
        )]
        self.commit_events.observe(events as f64);
        self.commit_seconds.observe(took.as_secs_f64());
    }

    /// Sets the number of events and bytes in all queues.
    pub(crate) fn waiting(&self, events: u64, bytes: u64) {
        let gauge = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.queue_events.set(gauge(events));
        self.queue_bytes.set(gauge(bytes));
    }

    /// Returns all metrics in the text format of Prometheus.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

fn reason(name: &'static str) -> Reason {
    Reason {
        reason: ReasonName(name),
    }
}

impl EncodeLabelValue for ReasonName {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
    ) -> Result<(), fmt::Error> {
        self.0.encode(encoder)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
