//! Shared parts of the tests: a fixed clock, sample events, and a frame as text.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::{
    Arrivals, Attempt, AttemptSummary, Burst, DeliveryState, Event, EventRow, HistoryGap, Incident,
    Insight, Outcome, Position, SavedFilters,
};
use podtap_agent::{EventId, HookStanding, LinkState, Seq, ServiceState, Status, WebhookRequest};
use podtap_podio::standing::Judgement;
use podtap_podio::{ObjectKind, ObjectRef, decode};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use crate::app::App;
use crate::config::UiConfig;
use crate::detail::DetailAnswer;
use crate::detail::DetailEffect;
use crate::detail::{BodyForm, FullEvent, OpenEvent, RenderOptions};
use crate::effect::Effect;
use crate::figures::{FiguresAnswer, FiguresEffect, figures};
use crate::health::HealthAnswer;
use crate::health::HealthEffect;
use crate::keymap::KeyPress;
use crate::list::ListAnswer;
use crate::list::ListEffect;
use crate::message::{FeatureAnswer, Message};
use crate::rate::RateAnswer;
use crate::rate::RateEffect;
use crate::view::view;

/// Returns the time in every test.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:04:32.204Z".parse().unwrap()
}

fn received_at(position: i64) -> Timestamp {
    now() - SignedDuration::from_secs(1_204 - position)
}

pub(crate) fn saved_filters(filters: &[(&str, &str)]) -> SavedFilters {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    SavedFilters::new(filters.iter().map(owned), now()).unwrap()
}

/// Returns the id of the sample event at `position`.
pub(crate) fn id(position: i64) -> EventId {
    EventId::from_parts(received_at(position), u128::from(position.unsigned_abs()))
}

/// Returns a sample row. The position decides its content.
pub(crate) fn row(position: i64) -> EventRow {
    let kinds = [
        "item.update",
        "item.update",
        "comment.create",
        "item.create",
        "hook.verify",
    ];
    let index = usize::try_from(position).unwrap() % kinds.len();
    let item = kinds[index] != "hook.verify";
    let failed = position % 7 == 3;
    let outcome = match position % 11 {
        _ if failed => Err("connection refused".to_owned()),
        4 => Ok(500),
        6 => Ok(404),
        _ => Ok(200),
    };
    let waiting = position % 13 == 12;
    EventRow {
        position: Position(position),
        id: id(position),
        received_at: received_at(position),
        method: "POST".to_owned(),
        path: "/podio/hook".to_owned(),
        event_type: Some(kinds[index].to_owned()),
        object: item.then_some(ObjectRef {
            kind: ObjectKind::Item,
            id: 4_711,
        }),
        revision: kinds[index]
            .starts_with("item")
            .then_some(position.unsigned_abs() % 30),
        hook_id: Some(90_211),
        body_bytes: 67,
        state: if waiting {
            DeliveryState::Pending
        } else {
            DeliveryState::Delivered
        },
        last: (!waiting).then(|| AttemptSummary {
            outcome,
            duration: Duration::from_millis(position.unsigned_abs() % 90 + 3),
            replay: position % 17 == 5,
        }),
        attempts: 1,
        insight: Insight::default(),
        note: None,
        burst: None,
    }
}

/// Returns a sample gap.
pub(crate) fn gap(position: i64) -> HistoryGap {
    HistoryGap {
        position: Position(position),
        found_at: received_at(position),
        since: Some(received_at(position - 1)),
        incident: Incident::Gap {
            from: Seq(position.unsigned_abs()),
            to: Seq(position.unsigned_abs() + 6),
            reason: "older than 7 days".to_owned(),
        },
    }
}

/// Returns a sample burst of all events from `first` to `last`.
pub(crate) fn burst(first: i64, last: i64) -> Burst {
    let events = (last - first + 1).unsigned_abs();
    Burst {
        first: Position(first),
        last: Position(last),
        events,
        since: received_at(last) - SignedDuration::from_secs(4),
        until: received_at(last),
        answered: events - 12,
        failed: 12,
        slowest: Some(Duration::from_millis(380)),
    }
}

/// Returns a sample event.
pub(crate) fn event(position: i64) -> Event {
    let body = "type=item.update&item_id=4711&item_revision_id=8&hook_id=90211&external_id=BUG-17";
    with_body(position, body.as_bytes())
}

/// Returns a sample event with this body.
pub(crate) fn with_body(position: i64, body: &[u8]) -> Event {
    let headers = [
        ("host", "hooks.example.com"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", "81"),
    ];
    Event {
        position: Position(position),
        id: id(position),
        seq: Some(Seq(position.unsigned_abs())),
        request: WebhookRequest {
            received_at: received_at(position),
            method: "POST".to_owned(),
            path: "/podio/hook".to_owned(),
            headers: headers.into_iter().collect(),
            peer: Some([203, 0, 113, 9].into()),
            body: bytes::Bytes::copy_from_slice(body),
        },
        podio: decode(None, body).ok(),
        state: DeliveryState::Delivered,
        insight: Insight::default(),
        note: None,
    }
}

/// Returns sample attempts: a failed one, and a replay that was answered.
pub(crate) fn attempts(position: i64) -> Vec<Attempt> {
    let attempt = |number, replay, millis, outcome| Attempt {
        event: id(position),
        number,
        replay,
        imported: false,
        url: "http://localhost:3000/podio/hook".to_owned(),
        target: None,
        edited: None,
        started_at: received_at(position),
        duration: Duration::from_millis(millis),
        outcome,
    };
    let answer = Outcome::Answered {
        status: 200,
        headers: [("content-type", "application/json")].into_iter().collect(),
        body: bytes::Bytes::from_static(br#"{"ok":true,"item":{"id":4711,"revision":8}}"#),
        body_bytes: 43,
    };
    let refused = Outcome::Failed {
        error: "connection refused".to_owned(),
    };
    vec![attempt(1, false, 3, refused), attempt(2, true, 38, answer)]
}

/// Returns the default options for laying out an event.
pub(crate) fn options(width: usize) -> RenderOptions {
    RenderOptions {
        width,
        form: BodyForm::Auto,
        wrap: true,
        attempt: None,
    }
}

/// Returns a sample event, laid out.
pub(crate) fn sample_event(position: i64, width: usize) -> Box<OpenEvent> {
    opened_as(position, options(width))
}

/// Returns a sample event, laid out with these options.
pub(crate) fn opened_as(position: i64, options: RenderOptions) -> Box<OpenEvent> {
    let full = FullEvent {
        event: event(position),
        attempts: attempts(position),
        explanation: None,
    };
    Box::new(OpenEvent::new(full, options, &TimeZone::UTC))
}

/// Returns a status in which everything is up.
pub(crate) fn status() -> Status {
    Status {
        link: LinkState::Up { since: now() },
        public_url: Some("https://hooks.example.com/k3v9m2p7q4w8x5z6t3r9s2abcd/".to_owned()),
        tunnel: Some("crm".to_owned()),
        target: Some("3000".parse().unwrap()),
        service: ServiceState::Up { since: now() },
        ..Status::default()
    }
}

/// Returns an app on a screen of this size, before it has received any message.
pub(crate) fn app(width: u16, height: u16) -> App {
    App::new(UiConfig::default(), Size { width, height }, now(), status())
}

/// Sends a message and carries out the app's requests, with a history of `1..=events`,
/// until there are no more requests.
pub(crate) fn settle(app: &mut App, first: Message, events: i64) {
    let mut messages = vec![first];
    while let Some(message) = messages.pop() {
        for effect in app.update(message) {
            messages.extend(answer(effect, events).map(Message::Answer));
        }
    }
}

pub(crate) fn answer(effect: Effect, events: i64) -> Option<FeatureAnswer> {
    use podtap_agent::history::Anchor;
    match effect {
        Effect::List(ListEffect::LoadPage {
            generation, query, ..
        }) => {
            let limit = i64::try_from(query.limit).unwrap();
            let (low, high) = match query.anchor {
                Anchor::Newest => (events - limit + 1, events),
                Anchor::Before(before) => (before.0 - limit, before.0 - 1),
                Anchor::After(after) => (after.0.max(0) + 1, after.0.max(0) + limit),
                Anchor::Around(around) => (around.0 - limit / 2, around.0 + limit / 2 - 1),
            };
            let rows: Vec<_> = (low.max(1)..=high.min(events)).rev().map(row).collect();
            Some(FeatureAnswer::List(ListAnswer::Page {
                generation,
                result: Ok(rows.into()),
            }))
        }
        Effect::Health(HealthEffect::Measure) => {
            Some(FeatureAnswer::Health(HealthAnswer::Measured {
                bytes: Some(4_300_000),
                events: Some(events.unsigned_abs()),
            }))
        }
        Effect::Figures(FiguresEffect::Load) => {
            let figures = Box::new(figures(events > 0));
            Some(FeatureAnswer::Figures(FiguresAnswer::Loaded(figures)))
        }
        Effect::Rate(RateEffect::CountArrivals { after, since }) => {
            let low = after.map_or(1, |after| after.0 + 1);
            let new = (low..=events).filter(|at| after.is_some() || received_at(*at) >= since);
            let durations = (1.max(events - 500)..=events).map(row);
            let durations = durations.filter_map(|row| row.last.map(|last| last.duration));
            Some(FeatureAnswer::Rate(RateAnswer::Arrivals {
                result: Ok(Arrivals {
                    newest: Position(events),
                    seconds: new.map(|at| (received_at(at).as_second(), 1)).collect(),
                    others: 0,
                    durations: durations.collect(),
                }),
            }))
        }
        Effect::List(ListEffect::Count { filter }) => {
            Some(FeatureAnswer::List(ListAnswer::Count {
                filter,
                took: Duration::ZERO,
                result: Ok((events.unsigned_abs(), Position(events))),
            }))
        }
        Effect::Detail(DetailEffect::LoadEvent {
            generation,
            id: wanted,
            options,
        }) => {
            let position = (1..=events).find(|position| id(*position) == wanted)?;
            Some(FeatureAnswer::Detail(DetailAnswer::Event {
                generation,
                result: Ok(Some(opened_as(position, options))),
            }))
        }
        _ => None,
    }
}

/// Returns the message for a key in the notation of the help.
pub(crate) fn key(text: &str) -> Message {
    Message::Key(text.parse::<KeyPress>().unwrap().into())
}

/// Presses keys in the notation of the help, and carries out the requests after each.
pub(crate) fn press(app: &mut App, keys: &str, events: i64) {
    for key in keys.split(' ') {
        settle(app, self::key(key), events);
    }
}

/// Returns an app on a screen of usual size with a history of 500 events, after these keys.
pub(crate) fn app_after(keys: &str) -> App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, keys, 500);
    app
}

/// Submits the open form, and returns the effects.
pub(crate) fn send_form(app: &mut App) -> Vec<Effect> {
    let mut effects = app.update(key("enter"));
    effects.retain(|effect| *effect != Effect::Draw);
    effects
}

/// Returns the frame that an app draws.
pub(crate) fn frame(app: &App) -> Buffer {
    let screen = app.panes.screen();
    let mut terminal = Terminal::new(TestBackend::new(screen.width, screen.height)).unwrap();
    terminal.draw(|frame| view(app, frame)).unwrap();
    terminal.backend().buffer().clone()
}

/// Returns the lines of a frame.
pub(crate) fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area().width);
    let mut text = String::new();
    for line in buffer.content().chunks(width) {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Returns whether the frame that an app draws has this text on one of its lines.
pub(crate) fn shows(app: &App, wanted: &str) -> bool {
    text(&frame(app)).contains(wanted)
}

/// Returns a sample of what Podio would conclude about a hook. Hooks with odd ids have failures.
pub(crate) fn standing(hook_id: u64) -> HookStanding {
    let bad = hook_id % 2 == 1;
    let current = if bad {
        Judgement::Suspended { until: now() }
    } else {
        Judgement::Active
    };
    HookStanding {
        hook_id,
        current,
        old: Judgement::Active,
        calls: 1_204,
        failed: if bad { 21 } else { 0 },
        failed_soon: if bad { 15 } else { 0 },
        failed_week: if bad { 21 } else { 0 },
        newest_failure: bad.then_some(podtap_agent::CallFailure::Status(500)),
        missed: if bad { 3 } else { 0 },
    }
}
