//! Tests export and import: exported events are imported again, once, and cause nothing else.

use std::io::Cursor;
use std::time::Duration;

use crate::support::podio::PodioAgent;
use crate::support::{after_hours, event, eventually, history_of, item_update};
use jiff::Timestamp;
use podtap_agent::export::archive::{self, ArchiveFormat, ArchiveSelection};
use podtap_agent::history::Retention;
use podtap_agent::history::{
    Anchor, Attempt, DeliveryState, Duplicate, EditedRequest, Event, Filter, History,
    ImportedEvent, ImportedRecord, Insight, NewAttempt, Outcome, PageQuery, Position, SavedFilters,
    Verification, Writer, WriterThread,
};
use podtap_agent::import::{ArchiveImport, ImportReport, Problem};
use podtap_agent::{HeaderList, Target, WebhookRequest};
use podtap_sandbox as sandbox;
use podtap_wire::EventId;
use proptest::prelude::*;
use tempfile::TempDir;

const BASE: &str = "http://localhost:3000";

struct Store {
    _folder: TempDir,
    writer: Writer,
    _thread: WriterThread,
    history: History,
}

impl Store {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (writer, thread) = Writer::open(&history_of(&folder), |_| {}).unwrap();
        let history = History::open_read_only(&history_of(&folder)).unwrap();
        Self {
            _folder: folder,
            writer,
            _thread: thread,
            history,
        }
    }

    async fn with(past: Vec<ImportedEvent>) -> Self {
        let store = Self::new();
        let past = past.into_iter().map(ImportedRecord::Event).collect();
        store.writer.import(past).await.unwrap();
        store
    }

    async fn export(&self, format: ArchiveFormat) -> Vec<u8> {
        let mut file = Vec::new();
        archive::write(&self.history, all(), format, &Target::default(), &mut file)
            .await
            .unwrap();
        file
    }

    async fn import(&self, file: &[u8]) -> ImportReport {
        let archive = ArchiveImport::open(Cursor::new(file.to_vec()))
            .await
            .unwrap();
        archive.into_history(&self.writer).await.unwrap()
    }

    async fn whole(&self) -> Vec<(Event, Vec<Attempt>)> {
        let mut whole = Vec::new();
        let mut after = Position::default();
        loop {
            let events = self.history.events_after(after, 100).await.unwrap();
            let Some(last) = events.last() else {
                return whole;
            };
            after = last.position;
            for event in events {
                let attempts = self.history.attempts(event.id).await.unwrap();
                whole.push((event, attempts));
            }
        }
    }
}

fn all() -> ArchiveSelection {
    let filter = Filter::default();
    let most = usize::MAX;
    ArchiveSelection::Filter { filter, most }
}

fn import_report(new: u64, known: u64, skipped: u64) -> ImportReport {
    ImportReport {
        new,
        known,
        skipped,
        ..ImportReport::default()
    }
}

fn past_event(number: u64) -> ImportedEvent {
    let event = item_update(number, 4711);
    ImportedEvent {
        id: event.id,
        request: event.request,
        attempts: Vec::new(),
        note: None,
        marks: Insight::default(),
    }
}

fn attempt(event: EventId, number: u32, outcome: Outcome) -> Attempt {
    Attempt {
        event,
        number,
        replay: number > 1,
        imported: true,
        url: format!("{BASE}/podio/hook"),
        target: None,
        edited: None,
        started_at: Timestamp::from_millisecond(1_795_435_471_204).unwrap(),
        duration: Duration::from_micros(38_412),
        outcome,
    }
}

fn answered_outcome(status: u16, headers: HeaderList, body: Vec<u8>) -> Outcome {
    Outcome::Answered {
        status,
        headers,
        body_bytes: body.len() as u64 + 7,
        body: body.into(),
    }
}

fn headers() -> impl Strategy<Value = HeaderList> {
    let byte = prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8];
    let value = proptest::collection::vec(byte, 0..20);
    proptest::collection::vec(("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}", value), 0..5)
        .prop_map(|pairs| pairs.into_iter().collect())
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        "\\PC{0,20}".prop_map(String::into_bytes),
        "[\\x00-\\x7f]{0,40}".prop_map(String::into_bytes),
    ]
}

/// Generates every path that the relay's parser accepts.
fn paths() -> impl Strategy<Value = String> {
    "/[ -~é€]{0,30}".prop_filter("no path of HTTP", |path| {
        let parsed = path.parse::<http::uri::PathAndQuery>();
        parsed.is_ok_and(|parsed| parsed.as_str() == path)
    })
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        "\\PC{1,20}".prop_map(|error| Outcome::Failed { error }),
        (100_u16..1000, headers(), bodies())
            .prop_map(|(status, headers, body)| answered_outcome(status, headers, body)),
    ]
}

/// Generates what a history may have found out about an event.
fn marks() -> impl Strategy<Value = Insight> {
    let verification = prop_oneof![
        Just(Verification::Validated),
        "\\PC{0,20}".prop_map(|reason| Verification::Failed { reason }),
    ];
    let number = || prop_oneof![1..9_u64, any::<u64>()];
    let option = proptest::option::of::<BoxedStrategy<u64>>;
    (
        proptest::option::of(verification),
        proptest::option::of(any::<bool>()),
        option(number().boxed()),
        option(number().boxed()),
        any::<bool>(),
    )
        .prop_map(
            |(verification, same_hook, missing, late, repaired)| Insight {
                verification,
                duplicate: same_hook.map(|same_hook| Duplicate {
                    of: Position::default(),
                    same_hook,
                }),
                missing: missing.unwrap_or_default(),
                late,
                repaired,
                ..Insight::default()
            },
        )
}

prop_compose! {
    fn events()(
        millis in 0_i64..4_000_000_000_000,
        random in any::<u128>(),
        method in "[A-Z]{1,7}",
        path in paths(),
        headers in headers(),
        body in bodies(),
        v6 in proptest::option::of(any::<[u8; 16]>()),
        outcomes in proptest::collection::vec(outcomes(), 0..4),
        note in proptest::option::of("\\PC{0,20}[a-zé]"),
        marks in marks(),
    ) -> ImportedEvent {
        let received_at = Timestamp::from_millisecond(millis).unwrap();
        let id = EventId::from_parts(received_at, random);
        let mut attempts: Vec<Attempt> = (1..)
            .zip(outcomes)
            .map(|(number, outcome)| attempt(id, number, outcome))
            .collect();
        if let Some(second) = attempts.get_mut(1) {
            second.edited = Some(EditedRequest {
                method: method.clone(),
                path: path.clone(),
                headers: headers.clone(),
                body: body.clone().into(),
            });
        }
        let request = WebhookRequest {
            received_at,
            method,
            path,
            headers,
            peer: v6.map(Into::into),
            body: body.into(),
        };
        let note = note.map(|note| note.trim().to_owned());
        ImportedEvent { id, request, attempts, note, marks }
    }
}

/// Returns what JSON lines, and all but the last attempt of a HAR, contain of an attempt.
fn without_answer(attempt: &Attempt) -> Attempt {
    let mut attempt = attempt.clone();
    if let Outcome::Answered {
        headers,
        body,
        body_bytes,
        ..
    } = &mut attempt.outcome
    {
        *headers = HeaderList::default();
        *body = bytes::Bytes::new();
        *body_bytes = 0;
    }
    attempt
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_was_captured_survives_an_export_and_an_import(
        events in proptest::collection::vec(events(), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let source = Store::with(events).await;
            let before = source.whole().await;
            for format in [ArchiveFormat::Har, ArchiveFormat::Ndjson] {
                let file = source.export(format).await;
                let count = before.len() as u64;

                let target = Store::new();
                assert_eq!(target.import(&file).await, import_report(count, 0, 0));
                assert_eq!(target.import(&file).await, import_report(0, count, 0));
                assert_eq!(source.import(&file).await, import_report(0, count, 0));

                let after = target.whole().await;
                assert_eq!(after.len(), before.len());
                for ((was, had), (is, has)) in before.iter().zip(&after) {
                    assert_eq!((was.id, &was.request, was.state), (is.id, &is.request, is.state));
                    assert_eq!((&was.note, &was.insight), (&is.note, &is.insight));
                    let mut had: Vec<Attempt> = had.clone();
                    let whole = usize::from(format == ArchiveFormat::Har);
                    let cut = had.len().saturating_sub(whole);
                    had[..cut].iter_mut().for_each(|one| *one = without_answer(one));
                    assert_eq!(&had, has);
                }
                assert_eq!(target.export(ArchiveFormat::Ndjson).await, source.export(ArchiveFormat::Ndjson).await);
            }
        });
    }
}

#[tokio::test]
async fn an_archive_holds_the_newest_that_match_the_oldest_first() {
    let store = Store::with((1..=2_500).map(past_event).collect()).await;
    let numbers = async |selection| {
        let mut file = Vec::new();
        let target = Target::default();
        let written = archive::write(
            &store.history,
            selection,
            ArchiveFormat::Ndjson,
            &target,
            &mut file,
        );
        let written = written.await.unwrap();
        let text = String::from_utf8(file).unwrap();
        let number = |line: &str| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            object["params"]["item_revision_id"]
                .as_str()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        let numbers: Vec<u64> = text.lines().map(number).collect();
        assert_eq!(numbers.len() as u64, written);
        numbers
    };
    let newest = |filter: &str, most| {
        let filter = Filter::parse(filter, Timestamp::now(), &SavedFilters::default()).unwrap();
        ArchiveSelection::Filter { filter, most }
    };

    let expect = |range: std::ops::RangeInclusive<u64>| range.collect::<Vec<_>>();
    assert_eq!(numbers(newest("", usize::MAX)).await, expect(1..=2_500));
    assert_eq!(
        numbers(newest("item:4711", 1_200)).await,
        expect(1_301..=2_500)
    );
    assert!(numbers(newest("item:1", 10)).await.is_empty());
    assert!(numbers(newest("", 0)).await.is_empty());
    let gone = event(9_999, "").id;
    let some = ArchiveSelection::Events(vec![
        past_event(3).id,
        gone,
        past_event(1).id,
        past_event(3).id,
    ]);
    assert_eq!(numbers(some).await, [1, 3]);
}

#[tokio::test]
async fn an_archive_of_nothing_is_a_har_all_the_same() {
    let file = Store::new().export(ArchiveFormat::Har).await;
    let har: serde_json::Value = serde_json::from_slice(&file).unwrap();
    assert_eq!(har["log"]["entries"], serde_json::json!([]));
    assert_eq!(Store::new().import(&file).await, ImportReport::default());
}

#[tokio::test]
async fn a_har_of_another_tool_is_imported_once() {
    let har = br#"{"log": {"version": "1.2", "pages": [{"id": "p"}], "entries": [
        {"startedDateTime": "2026-11-23T13:04:31.204567+01:00", "time": 12.5, "pageref": "p",
         "request": {"method": "POST", "url": "https://x.test:8443/hook?a=b c#d",
           "headers": [{"name": ":authority", "value": "x.test"}, {"name": "X", "value": "\u00ff"},
                       {"name": "Y", "value": "\u20ac"}],
           "postData": {"mimeType": "text/plain", "text": "/w==", "encoding": "base64"}},
         "response": {"status": 201, "headers": [{"name": "Z", "value": "1"}],
           "content": {"size": 2, "mimeType": "text/plain", "text": "ok"}, "_error": null}},
        {"startedDateTime": "2026-11-23T12:04:32Z", "time": null,
         "request": {"method": "GET", "url": "http://x.test", "headers": [],
           "postData": {"mimeType": "application/x-www-form-urlencoded",
                        "params": [{"name": "type", "value": "item.update"}]}},
         "response": {"status": 0, "_error": "net::ERR_FAILED"}},
        {"startedDateTime": "2026-11-23T12:04:33Z", "request": {"method": "GET", "url": "wss://x/"}}
    ]}}"#;
    let store = Store::new();

    let other = "entry 3: its URL does not begin with http:// or https://".to_owned();
    let expected = |new, known| ImportReport {
        named: vec![other.clone()],
        ..import_report(new, known, 1)
    };
    assert_eq!(store.import(har).await, expected(2, 0));
    assert_eq!(store.import(har).await, expected(0, 2));

    let [(first, answered), (second, failed)] = &store.whole().await[..] else {
        unreachable!("two events");
    };
    assert_eq!((first.seq, first.state), (None, DeliveryState::Delivered));
    assert_eq!(
        first.request.received_at.to_string(),
        "2026-11-23T12:04:31.204Z"
    );
    assert_eq!(first.request.path, "/hook?a=b%20c");
    let headers: HeaderList = [("X", vec![0xff]), ("Y", "€".into())].into_iter().collect();
    assert_eq!(first.request.headers, headers);
    assert_eq!(&first.request.body[..], b"\xff");
    assert_eq!(answered[0].duration, Duration::from_micros(12_500));
    let Outcome::Answered { status, body, .. } = &answered[0].outcome else {
        unreachable!("an answer");
    };
    assert_eq!((*status, &body[..]), (201, &b"ok"[..]));
    assert_eq!(
        (&*second.request.path, &second.request.body[..]),
        ("/", &b"type=item.update"[..])
    );
    let error = "net::ERR_FAILED".to_owned();
    assert_eq!(failed[0].outcome, Outcome::Failed { error });
}

#[tokio::test]
async fn attempt_lines_belong_to_their_event_and_other_lines_are_counted() {
    let source = Store::with(vec![past_event(1), past_event(2)]).await;
    let file = String::from_utf8(source.export(ArchiveFormat::Ndjson).await).unwrap();
    let [one, two] = file.lines().collect::<Vec<_>>()[..] else {
        unreachable!("two lines");
    };
    let line = |event: u64, number: u32| {
        let id = past_event(event).id;
        format!(
            r#"{{"v":1,"type":"attempt","id":"{id}","attempt":{number},"replay":false,"url":"u","started_at":"2026-11-23T12:04:31.231Z","duration_ms":1.5,"status":200}}"#
        )
    };
    let ready = r#"{"v":1,"type":"ready","url":"https://x/","forwards_to":null,"tunnel":"crm"}"#;
    // Enough events in between for several batches.
    let filling = (100..1_500).map(|number| {
        one.replace(
            &past_event(1).id.to_string(),
            &past_event(number).id.to_string(),
        )
    });
    let mut lines = vec![
        ready.to_owned(),
        one.to_owned(),
        String::new(),
        line(1, 1),
        line(1, 1),
        line(7, 1),
    ];
    lines.push(two.to_owned());
    lines.extend(filling);
    lines.extend([line(1, 2), line(2, 1)]);
    let file = lines.join("\r\n");
    let target = Store::new();

    assert_eq!(
        target.import(file.as_bytes()).await,
        import_report(1_402, 0, 2)
    );
    assert_eq!(target.import(file.as_bytes()).await.new, 0);

    let attempts = async |number| {
        let attempts = target
            .history
            .attempts(past_event(number).id)
            .await
            .unwrap();
        attempts
            .iter()
            .map(|attempt| attempt.number)
            .collect::<Vec<_>>()
    };
    assert_eq!(attempts(1).await, [1, 2]);
    assert_eq!(attempts(2).await, [1]);
    let states = target.whole().await;
    assert_eq!(states[0].0.state, DeliveryState::Delivered);
    assert_eq!(states[2].0.state, DeliveryState::Held);
}

#[tokio::test]
async fn an_event_that_waits_for_its_delivery_goes_on_waiting() {
    let store = Store::new();
    let waiting = item_update(1, 4711);
    store.writer.append(vec![waiting]).await.unwrap();
    let mut archived = past_event(1);
    let error = "refused".to_owned();
    archived.attempts = vec![attempt(archived.id, 1, Outcome::Failed { error })];
    let archive = Store::with(vec![archived])
        .await
        .export(ArchiveFormat::Ndjson)
        .await;

    assert_eq!(store.import(&archive).await, import_report(0, 1, 0));

    let (event, attempts) = store.whole().await.remove(0);
    assert_eq!((event.state, attempts.len()), (DeliveryState::Pending, 0));
}

#[tokio::test]
async fn a_line_that_cannot_be_used_is_named_and_the_others_are_taken() {
    let source = Store::with((1..=3).map(past_event).collect()).await;
    let lines = String::from_utf8(source.export(ArchiveFormat::Ndjson).await).unwrap();
    let [first, second, third] = lines.lines().collect::<Vec<_>>()[..] else {
        unreachable!("three lines");
    };
    let unusable = |line: &str| format!("{first}\n{line}\n{third}\n");
    let with = |from: &str, to: &str| unusable(&second.replace(from, to));
    for (file, what) in [
        (with("\"v\":1", "\"v\":2"), "`v` is 2"),
        (with("\"type\":\"event\"", "\"type\":null"), "no `type`"),
        (with("\"POST\"", "\"PO ST\""), "method"),
        (with("\"/podio", "\"podio"), "path"),
        (with("\"/podio", "\"/po dio"), "path"),
        (with("\"path\"", "\"pat\""), "no `path`"),
        (with("\"body\"", "\"body_base64\""), "base64"),
        (with("}", ""), "EOF"),
        (unusable("null"), "not a JSON object"),
        (unusable("[1]"), "not a JSON object"),
        (unusable("Nov 26 02:39 started"), "not JSON"),
    ] {
        let target = Store::new();
        let report = target.import(file.as_bytes()).await;
        let [named] = &report.named[..] else {
            unreachable!("one is named: {report:?}");
        };
        assert!(
            named.starts_with("line 2: ") && named.contains(what),
            "{what}: {named}"
        );
        let named = report.named.clone();
        assert_eq!(
            report,
            ImportReport {
                named,
                ..import_report(2, 0, 1)
            }
        );
        assert_eq!(target.whole().await.len(), 2);
    }
    for other in ["<html>", "[]", "{}", "\u{1f}\u{8b}"] {
        let refused = ArchiveImport::open(Cursor::new(other.as_bytes().to_vec())).await;
        assert!(matches!(refused, Err(Problem::Unrecognized)), "{other}");
    }
}

#[tokio::test]
async fn what_breaks_off_costs_its_rest() {
    let source = Store::with(vec![past_event(1), past_event(2)]).await;
    let har = source.export(ArchiveFormat::Har).await;
    let har = &har[..har.len() - 40];
    let target = Store::new();
    let report = target.import(har).await;
    assert_eq!((report.new, report.skipped), (1, 0));
    let place = report.broken_off.unwrap();
    assert!(
        place.starts_with("after entry 1: ") && place.contains("EOF"),
        "{place}"
    );

    let lines = source.export(ArchiveFormat::Ndjson).await;
    let target = Store::new();
    let report = target.import(&lines[..lines.len() - 9]).await;
    assert_eq!((report.new, report.skipped), (1, 1));
    assert!(report.named[0].starts_with("line 2: "), "{report:?}");
}

#[tokio::test]
async fn only_the_first_that_cannot_be_used_are_named() {
    let source = Store::with(vec![past_event(1)]).await;
    let mut file = source.export(ArchiveFormat::Ndjson).await;
    file.extend_from_slice(&b"{\"type\":7}\n".repeat(1_000));
    let report = Store::new().import(&file).await;
    assert_eq!(
        (report.new, report.skipped, report.named.len()),
        (1, 1_000, 5)
    );
}

#[tokio::test]
async fn an_import_that_is_stopped_says_what_it_has_taken() {
    let source = Store::with((1..=2_000).map(past_event).collect()).await;
    let file = source.export(ArchiveFormat::Ndjson).await;
    let target = Store::new();
    let archive = ArchiveImport::open(Cursor::new(file)).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let told = |_: &ImportReport| stop.cancel();
    let report = archive
        .into_history_until(&target.writer, &stop, told)
        .await;
    let report = report.unwrap();
    assert!((1..2_000).contains(&report.new), "{report:?}");
    assert_eq!(target.whole().await.len() as u64, report.new);
}

/// Adds every path within a value, as a JSON pointer.
fn places(value: &serde_json::Value, at: &str, all: &mut Vec<String>) {
    use serde_json::Value;
    let mut within = |name: &str, value: &Value| {
        let at = format!("{at}/{name}");
        all.push(at.clone());
        places(value, &at, all);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| within(name, value)),
        Value::Array(list) => {
            let each = list.iter().enumerate();
            each.for_each(|(index, value)| within(&index.to_string(), value));
        }
        _ => {}
    }
}

/// Returns events of other tools and of Podtap: a
/// browser's entry, one with a form, and one of Podtap.
async fn real_archive() -> serde_json::Value {
    let mut ours = past_event(1);
    ours.note = Some("mine".to_owned());
    ours.attempts = vec![attempt(
        ours.id,
        1,
        answered_outcome(200, HeaderList::default(), b"ok".to_vec()),
    )];
    let source = Store::with(vec![ours]).await;
    let mut har: serde_json::Value =
        serde_json::from_slice(&source.export(ArchiveFormat::Har).await).unwrap();
    let browser = serde_json::json!({
        "_initiator": { "type": "other" }, "connection": "443", "pageref": "page_1",
        "startedDateTime": "2026-11-23T13:04:31.204+01:00", "time": 12.5, "cache": {},
        "timings": { "blocked": -1, "send": 0.1, "wait": 12, "receive": 0.4 },
        "request": {
            "method": "POST", "url": "https://x.test/hook?a=b", "httpVersion": "h2",
            "headers": [{ "name": ":path", "value": "/hook" }, { "name": "X", "value": "1" }],
            "queryString": [{ "name": "a", "value": "b" }], "cookies": [], "headersSize": -1,
            "postData": {
                "mimeType": "application/x-www-form-urlencoded",
                "params": [{ "name": "type", "value": "item.update" }],
            },
        },
        "response": {
            "status": 200, "statusText": "", "headers": [{ "name": "Z", "value": "1" }],
            "content": { "size": 2, "mimeType": "text/plain", "text": "ok" }, "_error": null,
        },
    });
    let mut second = browser.clone();
    second["request"]["postData"] = serde_json::json!({ "text": "/w==", "encoding": "base64" });
    let entries = har["log"]["entries"].as_array_mut().unwrap();
    entries.extend([browser, second]);
    har
}

#[tokio::test]
async fn an_odd_word_anywhere_in_an_archive_costs_one_entry_at_most() {
    use serde_json::{Value, json};
    let har = real_archive().await;
    let mut all = Vec::new();
    places(&har, "", &mut all);
    let above = ["/log", "/log/entries"];
    let essential = [
        "/log/entries/0",
        "/log/entries/1",
        "/log/entries/2",
        "/log/entries/1/request",
        "/log/entries/2/request",
        "/log/entries/1/request/url",
        "/log/entries/2/request/url",
    ];
    let store = Store::new();
    for place in &all {
        for odd in [
            Value::Null,
            json!(true),
            json!(-7.5),
            json!([]),
            json!({}),
            json!([[null, 1], { "name": null }, "x"]),
        ] {
            let mut har = har.clone();
            *har.pointer_mut(place).unwrap() = odd.clone();
            let report = store.import(har.to_string().as_bytes()).await;
            let found = (report.events(), report.skipped, report.broken_off);
            let expected = match place.as_str() {
                "/log/entries" if odd.as_array().is_some_and(|list| !list.is_empty()) => (0, 3),
                place if above.contains(&place) => (0, 0),
                place if essential.contains(&place) => (2, 1),
                _ => (3, 0),
            };
            assert_eq!(found, (expected.0, expected.1, None), "{place}: {odd}");
        }
    }
}

#[tokio::test]
async fn an_odd_word_in_a_line_costs_that_word() {
    use serde_json::{Value, json};
    let mut ours = past_event(1);
    ours.attempts = vec![attempt(
        ours.id,
        1,
        answered_outcome(200, HeaderList::default(), Vec::new()),
    )];
    let source = Store::with(vec![ours]).await;
    let line: Value = serde_json::from_slice(&source.export(ArchiveFormat::Ndjson).await).unwrap();
    let mut all = Vec::new();
    places(&line, "", &mut all);
    let store = Store::new();
    for place in &all {
        for odd in [Value::Null, json!(true), json!([1]), json!({ "a": null })] {
            let mut line = line.clone();
            *line.pointer_mut(place).unwrap() = odd.clone();
            let report = store.import(line.to_string().as_bytes()).await;
            let taken = u64::from(!["/path", "/type"].contains(&place.as_str()));
            assert_eq!(
                (report.events(), report.skipped),
                (taken, 1 - taken),
                "{place}: {odd}"
            );
        }
    }
}

#[tokio::test]
async fn text_that_is_no_text_costs_its_entry() {
    let good = r#"{"request":{"method":"GET","url":"http://x/"}}"#;
    let entries = [
        good,
        "7",
        r#""\ud800""#,
        r#"{"time":1e999}"#,
        "null",
        "-7.5 ",
        good,
    ];
    let mut har = format!(r#"{{"log":{{"entries":[{}]}}}}"#, entries.join(", ")).into_bytes();
    let store = Store::new();
    let report = store.import(&har).await;
    assert_eq!(
        (report.events(), report.skipped, report.broken_off),
        (2, 5, None)
    );

    // The path contains a byte that is not UTF-8, which becomes the replacement character.
    let at = har.windows(4).position(|four| four == b"//x/").unwrap() + 4;
    har.insert(at, 0xff);
    assert_eq!(store.import(&har).await.events(), 2);
}

#[tokio::test]
async fn nothing_happens_because_of_an_import() {
    let sandbox = sandbox::SandboxConfig::default();
    let mut running = PodioAgent::start(sandbox, |podio| podio.break_loops = true).await;
    let before = running
        .podio
        .forge("type=item.update&item_id=1&item_revision_id=1&hook_id=7");
    before.await;
    running.wait_for_events(1).await;
    // A loop, a verification, and an event that is also received through the relay.
    let mut archive: Vec<ImportedEvent> = (1..=50).map(past_event).collect();
    let mut verify = past_event(60);
    verify.request.body = "type=hook.verify&hook_id=7&code=b9079247".into();
    archive.push(verify);
    let imported: Vec<EventId> = archive.iter().map(|one| one.id).collect();
    let error = "refused".to_owned();
    // Attempts of long ago are among recent ones: a standing must still find where its week begins.
    for one in &mut archive {
        let mut old = attempt(
            one.id,
            1,
            Outcome::Failed {
                error: error.clone(),
            },
        );
        old.started_at = Timestamp::UNIX_EPOCH;
        one.attempts = vec![old];
    }
    let archive = archive.into_iter().map(ImportedRecord::Event).collect();
    running.podio.writer.import(archive).await.unwrap();

    // An event that a relay accepts afterwards has an effect,
    // which shows that the imported ones were skipped.
    let same = std::str::from_utf8(&past_event(50).request.body)
        .unwrap()
        .to_owned();
    let next = same.replace("revision_id=50", "revision_id=53");
    let live = [
        running.podio.forge(&same).await,
        running.podio.forge(&next).await,
    ];
    let real = "type=hook.verify&hook_id=8&code=b9079248";
    let real = running.podio.forge(real).await;
    let history = running.agent.handle.history().clone();
    let whole = async |id| history.event(id).await.unwrap().unwrap();
    eventually("the validation", async || {
        let found = whole(real).await.insight.verification;
        found.ok_or_else(|| "none".to_owned())
    })
    .await;
    running.wait_for_events(imported.len() + 4).await;

    assert_eq!(running.service.requests().len(), 4);
    assert!(history.loops().await.unwrap().is_empty());
    assert!(running.agent.handle.held_objects().is_empty());
    assert_eq!(whole(live[0]).await.insight.duplicate, None);
    assert_eq!(
        whole(live[1]).await.insight.missing,
        2,
        "of what the relay took"
    );
    let standings = running.agent.handle.standings().await.unwrap();
    let seven = standings
        .iter()
        .find(|standing| standing.hook_id == 7)
        .unwrap();
    assert_eq!((seven.calls, seven.failed), (3, 0));
    // The next start does not pick it up, either.
    running.restart(|podio| podio.break_loops = true).await;
    let again = running
        .podio
        .forge("type=hook.verify&hook_id=9&code=b9079249")
        .await;
    eventually("the validation after the start", async || {
        let found = whole(again).await.insight.verification;
        found.ok_or_else(|| "none".to_owned())
    })
    .await;
    for id in &imported {
        let event = whole(*id).await;
        assert_ne!(event.state, DeliveryState::Pending);
        assert_eq!(event.seq, None);
        let insight = event.insight;
        assert_eq!((insight.verification, insight.duplicate), (None, None));
        assert_eq!((insight.missing, insight.hold), (0, None));
    }
}

#[tokio::test]
async fn a_header_whose_name_is_none_of_http_does_not_get_in() {
    let odd = "x: 1\r\nevil";
    let mut other = past_event(1);
    other.request.headers.push(odd, "2");
    let from = Store::with(vec![other]).await;
    let lines = from.export(ArchiveFormat::Ndjson).await;
    let har = from.export(ArchiveFormat::Har).await;

    let store = Store::new();
    assert_eq!(store.import(&lines).await, import_report(1, 0, 0));
    assert_eq!(store.import(&har).await, import_report(0, 1, 0));
    let (event, _) = store.whole().await.remove(0);
    assert_eq!(event.request.headers.get(odd), None);
    assert!(event.request.headers.get("content-type").is_some());
}

#[tokio::test]
async fn an_attempt_of_the_highest_number_leaves_room_for_a_replay() {
    let mut highest = past_event(1);
    let failed = || Outcome::Failed {
        error: "no answer".to_owned(),
    };
    highest.attempts = [u32::MAX, u32::MAX]
        .map(|number| attempt(highest.id, number, failed()))
        .to_vec();
    let store = Store::with(vec![highest]).await;
    let (event, _) = store.whole().await.remove(0);
    let replay = || NewAttempt {
        position: event.position,
        again: false,
        others: Vec::new(),
        attempt: Attempt {
            number: 0,
            event: event.id,
            replay: true,
            imported: false,
            url: BASE.to_owned(),
            target: None,
            edited: None,
            started_at: Timestamp::now(),
            duration: Duration::ZERO,
            outcome: failed(),
        },
    };

    let first = store.writer.record(replay()).await.unwrap();
    let second = store.writer.record(replay()).await.unwrap();

    assert!(first.number < second.number);
    assert_eq!(store.whole().await[0].1.len(), 4);
}

#[tokio::test]
async fn imported_events_go_by_number_and_not_by_age() {
    let old = Timestamp::from_second(1_000_000_000).unwrap();
    let mut archived: Vec<ImportedEvent> = (1..=3).map(past_event).collect();
    for one in &mut archived {
        one.request.received_at = old;
    }
    let store = Store::with(archived).await;
    let mut relayed = vec![item_update(11, 1), item_update(12, 1)];
    relayed[0].request.received_at = old;
    for one in &mut relayed {
        one.state = DeliveryState::Held;
    }
    store.writer.append(relayed).await.unwrap();
    let left = async |max_events, hours| {
        let retention = Retention {
            max_events,
            max_age: Duration::from_hours(24),
        };
        store
            .writer
            .retain(retention, after_hours(hours))
            .await
            .unwrap();
        store.whole().await.len()
    };

    assert_eq!(left(100, 0).await, 5);
    assert_eq!(
        left(100, 25).await,
        3,
        "only those that a relay took have gone"
    );
    assert_eq!(left(2, 25).await, 2);
}

/// Each word and its opposite also find what an archive contained.
#[tokio::test]
async fn each_mark_is_found_by_its_word_and_by_its_opposite() {
    let marked = |number: u64, mark: fn(&mut Insight)| {
        let mut event = past_event(number);
        mark(&mut event.marks);
        event
    };
    let verify = |number: u64, verification: Verification| {
        let mut event = past_event(number);
        event.request.body = "type=hook.verify&hook_id=9&code=abc".into();
        event.marks.verification = Some(verification);
        event
    };
    let refused = Verification::Failed {
        reason: "the code is wrong".to_owned(),
    };
    let events = vec![
        past_event(1),
        marked(2, |marks| marks.missing = 3),
        marked(3, |marks| {
            marks.duplicate = Some(Duplicate {
                of: Position::default(),
                same_hook: true,
            });
        }),
        marked(4, |marks| marks.late = Some(9)),
        marked(5, |marks| marks.repaired = true),
        verify(6, Verification::Validated),
        verify(7, refused),
    ];
    let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let store = Store::with(events).await;
    for (word, yes, no) in [
        ("missing", &[2][..], &[1, 3, 4, 5, 6, 7][..]),
        ("duplicate", &[3], &[1, 2, 4, 5, 6, 7]),
        ("late", &[4], &[1, 2, 3, 5, 6, 7]),
        ("repaired", &[5], &[1, 2, 3, 4, 6, 7]),
        // The opposite of `verified` is a `hook.verify` whose hook is not active.
        ("verified", &[6], &[7]),
    ] {
        for (value, expected) in [("yes", yes), ("no", no)] {
            let text = format!("{word}:{value}");
            let filter = Filter::parse(&text, Timestamp::now(), &SavedFilters::default()).unwrap();
            let query = PageQuery {
                filter,
                anchor: Anchor::Newest,
                limit: 100,
            };
            let rows = store.history.page(query).await.unwrap();
            let number = |id| ids.iter().position(|known| *known == id).unwrap() + 1;
            let mut found: Vec<usize> = rows.iter().map(|row| number(row.id)).collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{text}");
        }
    }
}
