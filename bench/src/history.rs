//! Fills a history like that of a busy year, computed from numbers alone: mixed types and answers,
//! some events refused, unanswered or replayed, bodies of 60 to 600 bytes. It is filled once and
//! kept in the build folder; every program that measures readers starts from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::draft::PATH;
use podtap_agent::history::{
    Anchor, Attempt, DeliveryState, Filter, History, NewAttempt, NewEvent, Outcome, PageQuery,
    Position, SavedFilters, Writer,
};
use podtap_agent::{EventId, WebhookRequest};

/// The version of the content. It must change with the content, so that no
/// measurement uses an older history.
const KIND: &str = "v1";

/// Number of events per transaction.
const GROUP: u64 = 2_000;

/// Time between two events: a million in twelve days.
const PACE: SignedDuration = SignedDuration::from_secs(1);

/// The item of the oldest event. No other event has it.
pub const OLDEST_ITEM: u64 = 9_900_001;

/// A word of the oldest event. No other event has it.
pub const OLDEST_WORD: &str = "coelacanth";

/// A word of one event in 50,000.
pub const RARE_WORD: &str = "axolotl";

/// A word of two events in three.
pub const COMMON_WORD: &str = "ticket";

/// Maximum time for the full-text index to catch up after filling.
const INDEXED_WITHIN: Duration = Duration::from_mins(30);

/// Creates a folder on the same disk, for a history that does not exist yet.
///
/// # Errors
/// If it cannot be created.
pub fn fresh() -> anyhow::Result<tempfile::TempDir> {
    let folder = kept_in();
    std::fs::create_dir_all(&folder)?;
    Ok(tempfile::tempdir_in(folder)?)
}

fn kept_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/histories")
}

/// Returns the path of a history with this number of events, and fills it
/// first if it does not exist.
///
/// # Errors
/// If it cannot be filled.
pub async fn filled_history(events: u64) -> anyhow::Result<PathBuf> {
    let folder = kept_in();
    let kept = folder.join(format!("{KIND}-{events}"));
    let file = kept.join("history.db");
    if file.exists() {
        return Ok(file);
    }
    std::fs::create_dir_all(&folder)?;
    let under_way = tempfile::tempdir_in(&folder)?;
    write_events(&under_way.path().join("history.db"), events)
        .await
        .context("the history cannot be filled")?;
    std::fs::rename(under_way.keep(), &kept)?;
    Ok(file)
}

async fn write_events(path: &Path, events: u64) -> anyhow::Result<()> {
    let (writer, thread) = Writer::open(path, |_| {})?;
    let start = Timestamp::now() - PACE * i32::try_from(events)?;
    for first in (0..events).step_by(usize::try_from(GROUP)?) {
        let numbers = first..events.min(first + GROUP);
        let made = numbers.clone().map(|number| event(start, number));
        writer.append(made.collect()).await?;
        for attempt in numbers.flat_map(|number| attempts(start, number)) {
            writer.record_soon(attempt).await?;
        }
    }
    let history = History::open_read_only(path)?;
    // Events are indexed in order, so once the last one is found, all are indexed.
    let has_text = |number: &u64| request(*number).2.windows(6).any(|part| part == b"title=");
    let last = (0..events)
        .rev()
        .find(has_text)
        .map_or(String::new(), word_of);
    tokio::time::timeout(INDEXED_WITHIN, until_found(&history, &last)).await??;
    thread.close().await;
    Ok(())
}

async fn until_found(history: &History, word: &str) -> anyhow::Result<()> {
    let filter = Filter::parse(word, Timestamp::now(), &SavedFilters::default())?;
    loop {
        let query = PageQuery {
            filter: filter.clone(),
            anchor: Anchor::Newest,
            limit: 1,
        };
        if !history.page(query).await?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Returns the event with a number. `start` is the time of event 0.
pub fn event(start: Timestamp, number: u64) -> NewEvent {
    let seconds = SignedDuration::from_secs(number.cast_signed());
    let received_at = start.saturating_add(seconds).unwrap_or(Timestamp::MAX);
    event_at(received_at, number)
}

/// Returns the event with a number that arrives at this time.
pub fn event_at(received_at: Timestamp, number: u64) -> NewEvent {
    let (path, content_type, body) = request(number);
    NewEvent {
        id: EventId::from_parts(received_at, u128::from(number)),
        seq: None,
        request: WebhookRequest {
            received_at,
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: [
                ("content-type", content_type),
                ("user-agent", "Podio Webhook (https://developers.podio.com)"),
                ("accept-encoding", "gzip, deflate"),
            ]
            .into_iter()
            .collect(),
            peer: Some([192, 0, 2, 1].into()),
            body,
        },
        state: DeliveryState::Held,
    }
}

/// Returns path, content type and body of an event.
fn request(number: u64) -> (&'static str, &'static str, Bytes) {
    let form = "application/x-www-form-urlencoded";
    let chance = dice(number, 1);
    let hook = 9_000 + chance % 7;
    let item = match number {
        0 => OLDEST_ITEM,
        // Half of all events are about a few items.
        _ if chance.is_multiple_of(2) => dice(number, 2) % 400,
        _ => dice(number, 2) % 60_000,
    };
    let text = text(number);
    let external = dice(number, 3) % 100_000;
    let of_item = |kind: &str| {
        format!(
            "type={kind}&item_id={item}&item_revision_id={}&hook_id={hook}&external_id=BUG-{external}&title={text}",
            number / 1_000
        )
    };
    let (path, body) = match chance / 7 % 100 {
        0..58 => (PATH, of_item("item.update")),
        58..70 => (PATH, of_item("item.create")),
        70..72 => ("/crm/podio/hook", of_item("item.delete")),
        72..86 => (
            "/crm/podio/hook",
            format!(
                "type=comment.create&comment_id={number}&item_id={item}&hook_id={hook}&title={text}"
            ),
        ),
        86..90 => (
            PATH,
            format!("type=file.change&file_id={number}&hook_id={hook}&title={text}"),
        ),
        90..92 => (
            PATH,
            format!("type=hook.verify&hook_id={hook}&code={chance:x}"),
        ),
        92..96 => (
            "/podio/tasks",
            format!("type=task.create&task_id={number}&hook_id={hook}&title={text}"),
        ),
        _ => {
            let body = format!("{{\"event\":\"push\",\"number\":{number},\"title\":\"{text}\"}}");
            return ("/elsewhere/push?source=ci", "application/json", body.into());
        }
    };
    (path, form, body.into())
}

/// Returns some words: those that searches look for, and others.
fn text(number: u64) -> String {
    const WORDS: [&str; 12] = [
        "login", "fails", "on", "safari", "after", "update", "customer", "waits", "invoice",
        "project", "Zürich", "urgent",
    ];
    let mut text = word_of(number);
    let mut push = |word: &str| {
        text.push('+');
        text.push_str(word);
    };
    if !dice(number, 4).is_multiple_of(3) {
        push(COMMON_WORD);
    }
    if number % 50_000 == 25_000 {
        push(RARE_WORD);
    }
    if number == 0 {
        push(OLDEST_WORD);
    }
    for index in 0..dice(number, 5) % 60 {
        let word = dice(number, 6 + index) % WORDS.len() as u64;
        push(WORDS.get(usize::try_from(word).unwrap_or(0)).unwrap_or(&""));
    }
    text
}

/// Returns a word that only this event has.
fn word_of(number: u64) -> String {
    format!("n{number}n")
}

/// Returns the attempts of an event. Most events were answered with a success
/// immediately, some were refused or not answered, and some of these were replayed. A few
/// events are held without an attempt.
fn attempts(start: Timestamp, number: u64) -> Vec<NewAttempt> {
    let event = event(start, number);
    let attempt = |replay: bool, outcome: Outcome| NewAttempt {
        position: Position(number.cast_signed() + 1),
        again: false,
        others: Vec::new(),
        attempt: Attempt {
            number: 0,
            event: event.id,
            replay,
            imported: false,
            url: "http://127.0.0.1:3000/podio/hook".to_owned(),
            target: None,
            edited: None,
            started_at: event.request.received_at,
            duration: Duration::from_micros(2_000 + dice(number, 90) % 80_000),
            outcome,
        },
    };
    let answered = |status: u16| Outcome::Answered {
        status,
        headers: [("content-type", "text/plain"), ("server", "demo")]
            .into_iter()
            .collect(),
        body: "ok".into(),
        body_bytes: 2,
    };
    let refused = || Outcome::Failed {
        error: "connection refused".to_owned(),
    };
    match dice(number, 91) % 1_000 {
        0..930 => vec![attempt(false, answered(200))],
        930..950 => vec![attempt(false, answered(500))],
        950..960 => vec![attempt(false, answered(404))],
        960..962 => vec![attempt(false, answered(503))],
        962..980 => vec![attempt(false, refused())],
        980..992 => vec![attempt(false, answered(502)), attempt(true, answered(200))],
        992..995 => vec![attempt(false, refused()), attempt(true, refused())],
        _ => Vec::new(),
    }
}

/// Returns a pseudo-random number (splitmix64), a different one for each `throw`.
fn dice(number: u64, throw: u64) -> u64 {
    let mut state = number
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(throw.wrapping_mul(0xd1b5_4a32_d192_ed03));
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Returns a copy of a filled history for a program that writes to it, as `NAME.db` in a folder
/// that is removed when the returned value is dropped.
///
/// # Errors
/// If there is not enough space.
pub async fn copy_filled(events: u64, name: &str) -> anyhow::Result<tempfile::TempDir> {
    let source = filled_history(events).await?;
    let Some(folder) = source.parent().and_then(Path::parent) else {
        bail!("{} has no folder", source.display());
    };
    let copy = tempfile::tempdir_in(folder)?;
    std::fs::copy(&source, copy.path().join(format!("{name}.db")))?;
    // The write-ahead log, which has the part that is not in the database file yet.
    let log = source.with_file_name("history.db-wal");
    if log.exists() {
        std::fs::copy(log, copy.path().join(format!("{name}.db-wal")))?;
    }
    Ok(copy)
}
