//! The tables of the history, as numbered migrations. A file of a later format is refused with an
//! error that names the format.

/// Each entry migrates a file from the format of its index
/// to the next. Entries are never edited, only added.
pub(super) const MIGRATIONS: &[&str] = &[
    FORMAT_1, FORMAT_2, FORMAT_3, FORMAT_4, FORMAT_5, FORMAT_6, FORMAT_7, FORMAT_8, FORMAT_9,
    FORMAT_10, FORMAT_11,
];

/// `events` is the table for lists and filters, with one narrow row per event,
/// so that a page of a million events stays cheap and a change of state does not
/// rewrite a body. `requests` and `attempts` hold the bytes. `AUTOINCREMENT`: a
/// position is never reused after retention removes its event.
const FORMAT_1: &str = "
CREATE TABLE events (
    position         INTEGER PRIMARY KEY AUTOINCREMENT,
    id               BLOB NOT NULL UNIQUE,
    seq              INTEGER,
    received_at      INTEGER NOT NULL,
    method           TEXT NOT NULL,
    path             TEXT NOT NULL,
    event_type       TEXT,
    object_kind      TEXT,
    object_id        INTEGER,
    hook_id          INTEGER,
    revision         INTEGER,
    body_bytes       INTEGER NOT NULL,
    state            INTEGER NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    replays          INTEGER NOT NULL DEFAULT 0,
    last_status      INTEGER,
    last_error       TEXT,
    last_duration_us INTEGER,
    last_replay      INTEGER
) STRICT;
CREATE INDEX events_by_type ON events (event_type) WHERE event_type IS NOT NULL;
CREATE INDEX events_by_object ON events (object_id, object_kind) WHERE object_id IS NOT NULL;
CREATE INDEX events_by_hook ON events (hook_id) WHERE hook_id IS NOT NULL;
CREATE INDEX events_pending ON events (position) WHERE state = 0;
CREATE INDEX events_refused ON events (last_status) WHERE last_status >= 400;
CREATE INDEX events_unanswered ON events (position) WHERE last_error IS NOT NULL;

CREATE TABLE requests (
    position INTEGER PRIMARY KEY,
    peer     TEXT,
    headers  TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT;

CREATE TABLE attempts (
    position    INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    replay      INTEGER NOT NULL,
    url         TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    status      INTEGER,
    error       TEXT,
    headers     TEXT,
    body_bytes  INTEGER,
    body        BLOB,
    edited_head TEXT,
    edited_body BLOB
) STRICT;
CREATE UNIQUE INDEX attempts_by_event ON attempts (position, number);

CREATE VIRTUAL TABLE search USING fts5 (
    path, text, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE search_progress (indexed_through INTEGER NOT NULL) STRICT;
INSERT INTO search_progress VALUES (0);
";

/// What the agent finds out about events. What a list shows is in the row itself; `hooks` is joined
/// by its key. The other tables are small: findings, what must survive a crash, and a cache.
const FORMAT_2: &str = "
ALTER TABLE events ADD COLUMN same_key INTEGER;
ALTER TABLE events ADD COLUMN duplicate_of INTEGER;
ALTER TABLE events ADD COLUMN duplicate_same_hook INTEGER;
ALTER TABLE events ADD COLUMN missing INTEGER;
ALTER TABLE events ADD COLUMN verification INTEGER;
ALTER TABLE events ADD COLUMN verify_error TEXT;
ALTER TABLE events ADD COLUMN hold INTEGER;
CREATE INDEX events_by_same_key ON events (same_key) WHERE same_key IS NOT NULL;
CREATE INDEX events_by_revision ON events (object_id, revision) WHERE revision IS NOT NULL;

CREATE TABLE watch_progress (watched_through INTEGER NOT NULL) STRICT;
INSERT INTO watch_progress SELECT coalesce(max(position), 0) FROM events;

CREATE TABLE hooks (
    hook_id  INTEGER PRIMARY KEY,
    ref_type TEXT NOT NULL,
    ref_id   INTEGER NOT NULL,
    name     TEXT
) STRICT;

CREATE TABLE made_hooks (
    number      INTEGER PRIMARY KEY,
    api         TEXT NOT NULL,
    ref_type    TEXT NOT NULL,
    ref_id      INTEGER NOT NULL,
    event_type  TEXT NOT NULL,
    url         TEXT NOT NULL,
    newest_then INTEGER NOT NULL,
    hook_id     INTEGER
) STRICT;

CREATE TABLE loops (
    position INTEGER PRIMARY KEY,
    finding  TEXT NOT NULL
) STRICT;

CREATE TABLE held_objects (
    object_kind TEXT NOT NULL,
    object_id   INTEGER NOT NULL,
    PRIMARY KEY (object_kind, object_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE outages (
    since INTEGER PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE explanations (
    number      INTEGER PRIMARY KEY,
    subject     TEXT NOT NULL UNIQUE,
    explanation TEXT NOT NULL
) STRICT;
";

/// Notes of people on events, and bursts as ranges of positions.
const FORMAT_3: &str = "
ALTER TABLE events ADD COLUMN note TEXT;
CREATE INDEX events_noted ON events (position) WHERE note IS NOT NULL;

CREATE TABLE bursts (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT;
CREATE INDEX bursts_by_last ON bursts (last);
";

/// Findings in the order in which they became known;
/// this tunnel's URL; items as Podio returned them.
const FORMAT_4: &str = "
CREATE TABLE findings (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    finding TEXT NOT NULL
) STRICT;

CREATE TABLE tunnel (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    url    TEXT NOT NULL
) STRICT;

CREATE TABLE known_items (
    number  INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL UNIQUE,
    known   TEXT NOT NULL
) STRICT;
";

/// What keeps the history sound. Columns of `damaged` accept values of
/// any type, because they hold what could not be read. `age_marks` stores
/// the age (`podtap_disk::age`) at which a position was the newest.
const FORMAT_5: &str = "
CREATE TABLE damaged (
    number      INTEGER PRIMARY KEY,
    position    INTEGER,
    found_at    INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    id, seq, received_at, method, path, headers, body
);
CREATE TABLE upkeep (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE age_marks (
    position INTEGER PRIMARY KEY,
    age_ms   INTEGER NOT NULL
) STRICT;
";

/// Marks attempts that were imported. For existing attempts this is unknown: an event without a
/// `seq` may have been imported with them, so none of its attempts counts as this agent's.
const FORMAT_6: &str = "
ALTER TABLE attempts ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
UPDATE attempts SET imported = 1 WHERE position IN (SELECT position FROM events WHERE seq IS NULL);
";

/// One index replaces two. Events with the same content are about the same object, so that an entry
/// is beside the others of its object, not on a page that is written only for it.
const FORMAT_7: &str = "
DROP INDEX events_by_revision;
DROP INDEX events_by_same_key;
CREATE INDEX events_by_telling ON events (object_id, revision, same_key)
    WHERE revision IS NOT NULL OR same_key IS NOT NULL;
";

/// The newest revision of the item that arrived before this event, which is an older one.
const FORMAT_8: &str = "
ALTER TABLE events ADD COLUMN late INTEGER;
";

/// Whether an event was rebuilt from Podio's revisions because its webhook never arrived.
const FORMAT_9: &str = "
ALTER TABLE events ADD COLUMN repaired INTEGER NOT NULL DEFAULT 0;
CREATE INDEX events_repaired ON events (position) WHERE repaired = 1;
";

/// The target of an attempt, and whether that target was to get another one: after a crash, an
/// event is delivered only to the targets that have not answered it.
const FORMAT_10: &str = "
ALTER TABLE attempts ADD COLUMN target TEXT;
ALTER TABLE attempts ADD COLUMN again INTEGER NOT NULL DEFAULT 0;
";

/// Gaps in the sequence of events, each at a position of its own.
const FORMAT_11: &str = "
CREATE TABLE gaps (
    position INTEGER PRIMARY KEY,
    found_at INTEGER NOT NULL,
    since    INTEGER,
    incident TEXT NOT NULL
) STRICT;
";

/// The format that this version writes.
pub(super) const KNOWN: usize = MIGRATIONS.len();

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::history::{Anchor, Filter, History, PageQuery};

    #[tokio::test]
    async fn a_file_of_every_earlier_format_is_brought_up_and_keeps_its_events() {
        for earlier in 1..KNOWN {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("old.db");
            let connection = Connection::open(&path).unwrap();
            for migration in MIGRATIONS.iter().take(earlier) {
                connection.execute_batch(migration).unwrap();
            }
            connection
                .execute_batch(&format!(
                    "INSERT INTO events (id, received_at, method, path, event_type, body_bytes, \
                     state) VALUES (zeroblob(16), 0, 'POST', '/hook', 'item.update', 4, 2);
                     INSERT INTO requests VALUES (1, NULL, '[]', x'613d3162');
                     PRAGMA user_version = {earlier};"
                ))
                .unwrap();
            drop(connection);

            let history = History::open_read_only(&path).unwrap();

            let query = PageQuery {
                filter: Filter::default(),
                anchor: Anchor::Newest,
                limit: 10,
            };
            let rows = history.page(query).await.unwrap();
            assert_eq!(rows.len(), 1, "format {earlier}");
            let event = history.event(rows[0].id).await.unwrap().unwrap();
            assert_eq!((&event.request.body[..], event.note), (&b"a=1b"[..], None));
        }
    }
}
