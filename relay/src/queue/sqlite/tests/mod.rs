//! Runs the conformance suite on this engine, and tests what happens when the disk fails.

mod ends;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use podtap_wire::{EventId, HeaderList, Seq, WebhookRequest};
use tempfile::TempDir;

use super::SqliteQueue;
use super::storage::ConnectionOpener;
use crate::database::Database;
use crate::metrics::Metrics;
use crate::queue::conformance::{Bench, NOBODY, conformance};
use crate::queue::{AppendError, EngineLimits, Queue, ReadLimit, TunnelId};

/// A queue in its own temporary folder.
struct Sqlite {
    folder: TempDir,
    limits: EngineLimits,
    database: Database,
    queue: Arc<SqliteQueue>,
}

impl Sqlite {
    fn open(folder: TempDir, limits: EngineLimits) -> Self {
        let database = Database::open(folder.path()).unwrap();
        let metrics = Arc::new(Metrics::new());
        let queue = SqliteQueue::open(&database, limits.clone(), metrics).unwrap();
        Self {
            folder,
            limits,
            queue: Arc::new(queue),
            database,
        }
    }
}

impl Bench for Sqlite {
    async fn new(limits: EngineLimits) -> Self {
        Self::open(tempfile::tempdir().unwrap(), limits)
    }

    fn queue(&self) -> Arc<dyn Queue> {
        Arc::<SqliteQueue>::clone(&self.queue)
    }

    async fn tunnel_of(&self, owner: &str) -> TunnelId {
        make_tunnel_of(owner, &self.database)
    }

    async fn delete(&self, tunnel: TunnelId) {
        let connection = self.database.writer().unwrap();
        connection
            .execute("DELETE FROM tunnels WHERE id = ?1", [tunnel.0])
            .unwrap();
    }

    async fn restart(self) -> Self {
        // Dropped without being closed: everything that was answered is already in the file.
        drop(self.queue);
        Self::open(self.folder, self.limits)
    }
}

conformance!(Sqlite);

fn make_tunnel(database: &Database) -> TunnelId {
    make_tunnel_of("ada", database)
}

fn make_tunnel_of(owner: &str, database: &Database) -> TunnelId {
    let connection = database.writer().unwrap();
    connection
        .execute(
            "INSERT INTO tunnels (owner, name, key, created_at)
             VALUES (?1, hex(randomblob(8)), randomblob(16), 0)",
            [owner],
        )
        .unwrap();
    TunnelId(connection.last_insert_rowid())
}

fn wide() -> EngineLimits {
    EngineLimits {
        max_events: 1000,
        max_bytes: 1 << 30,
        max_owner_events: 1000,
        max_owner_bytes: 1 << 30,
        max_total_bytes: u64::MAX,
        min_free_bytes: 0,
        reserve_bytes: 0,
    }
}

async fn append(queue: &dyn Queue, tunnel: TunnelId) -> Result<Seq, AppendError> {
    append_body(queue, tunnel, "x".to_owned()).await
}

/// Appends an event of which only a few fit on a page.
async fn append_large(queue: &dyn Queue, tunnel: TunnelId) -> Result<Seq, AppendError> {
    append_body(queue, tunnel, "x".repeat(2000)).await
}

async fn append_body(
    queue: &dyn Queue,
    tunnel: TunnelId,
    body: String,
) -> Result<Seq, AppendError> {
    let request = WebhookRequest {
        received_at: Timestamp::UNIX_EPOCH,
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: HeaderList::default(),
        peer: None,
        body: body.into(),
    };
    queue
        .append(
            tunnel,
            EventId::generate(request.received_at).unwrap(),
            request,
        )
        .await
}

#[tokio::test]
async fn after_a_failed_commit_nothing_is_accepted_until_the_file_was_reopened_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let (failing, opening) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicBool::new(true)),
    );
    let (fails, opens, file) = (Arc::clone(&failing), Arc::clone(&opening), database.clone());
    let opener: ConnectionOpener = Box::new(move || {
        if !opens.load(Ordering::Relaxed) {
            return Err(file.error_in("open the database")(
                rusqlite::Error::InvalidQuery,
            ));
        }
        let mut connection = file.writer()?;
        let fails = Arc::clone(&fails);
        let hook = connection.commit_hook(Some(move || fails.load(Ordering::Relaxed)));
        hook.map(|()| connection)
            .map_err(file.error_in("install the fault"))
    });
    let metrics = Arc::new(Metrics::new());
    let queue = SqliteQueue::open_with(&database, wide(), metrics, opener).unwrap();
    assert_eq!(append(&queue, tunnel).await, Ok(Seq(1)));

    failing.store(true, Ordering::Relaxed);
    opening.store(false, Ordering::Relaxed);
    assert_eq!(append(&queue, tunnel).await, Err(AppendError::Unavailable));
    failing.store(false, Ordering::Relaxed);
    assert_eq!(queue.probe().await, Err(AppendError::Unavailable));
    tokio::time::sleep(super::storage::REOPEN_PERIOD).await;
    assert_eq!(
        append(&queue, tunnel).await,
        Err(AppendError::Unavailable),
        "not reopened yet"
    );
    assert_eq!(queue.probe().await, Err(AppendError::Unavailable));

    opening.store(true, Ordering::Relaxed);
    let reopened = async {
        while queue.expire(Duration::MAX, never()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reopened)
        .await
        .unwrap();

    assert_eq!(queue.probe().await, Ok(()));
    assert_eq!(
        append(&queue, tunnel).await,
        Ok(Seq(2)),
        "the refused ones left nothing behind"
    );
    let all = ReadLimit {
        events: 10,
        bytes: 1 << 20,
    };
    assert_eq!(
        queue.read_after(tunnel, Seq(0), all).await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_full_disk_refuses_events_takes_acknowledgements_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let file = database.clone();
    let opener: ConnectionOpener = Box::new(move || {
        let connection = file.writer()?;
        let small = connection.pragma_update(None, "max_page_count", 32);
        small
            .map(|()| connection)
            .map_err(file.error_in("install the fault"))
    });
    let limits = EngineLimits {
        reserve_bytes: 4096,
        ..wide()
    };
    let queue =
        SqliteQueue::open_with(&database, limits, Arc::new(Metrics::new()), opener).unwrap();
    let mut last = Seq(0);
    let refused = loop {
        match append_large(&queue, tunnel).await {
            Ok(seq) => last = seq,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AppendError::NoSpace);
    assert!(
        last > Seq(10) && queue.probe().await == Err(AppendError::NoSpace),
        "a full disk does not break the file"
    );

    queue.acknowledge(tunnel, NOBODY, last).await.unwrap();

    let recovered = async {
        loop {
            match append_large(&queue, tunnel).await {
                Ok(seq) => return seq,
                Err(error) => assert_eq!(error, AppendError::NoSpace),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let seq = tokio::time::timeout(Duration::from_secs(20), recovered)
        .await
        .unwrap();
    assert_eq!(seq, Seq(last.0 + 1));
}

fn never() -> podtap_disk::age::Now {
    podtap_disk::age::Now {
        wall_ms: 0,
        steady: Duration::ZERO,
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_read_costs_itself_alone_and_becomes_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let queue = SqliteQueue::open(&database, wide(), Arc::new(Metrics::new())).unwrap();
    for _ in 0..30 {
        append(&queue, tunnel).await.unwrap();
    }
    database
        .writer()
        .unwrap()
        .execute_batch(
            "UPDATE events SET headers = 'noise' WHERE seq IN (1, 10, 11);
             UPDATE events SET peer = 'nobody' WHERE seq = 30;",
        )
        .unwrap();

    let all = ReadLimit {
        events: 256,
        bytes: 1 << 20,
    };
    let events = queue.read_after(tunnel, Seq(0), all).await.unwrap();

    let missing = [1, 10, 11, 30].map(Seq);
    assert!(events.iter().all(|event| !missing.contains(&event.seq)));
    assert_eq!(events.len(), 26);
    let gaps = queue.gaps(tunnel).await.unwrap();
    let ends: Vec<_> = gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect();
    assert_eq!(ends, [(1, 1), (10, 11), (30, 30)]);
    let none = queue.read_after(tunnel, Seq(29), all).await.unwrap();
    assert!(none.is_empty(), "told at once, though nothing follows");
    queue.acknowledge(tunnel, NOBODY, Seq(29)).await.unwrap();
    assert_eq!(append(&queue, tunnel).await, Ok(Seq(31)));
    queue.acknowledge(tunnel, NOBODY, Seq(31)).await.unwrap();
    assert_eq!(queue.depth(tunnel).await.unwrap().events(), 0);
}

#[tokio::test]
async fn a_damaged_database_is_rebuilt_beside_a_running_queue() {
    use std::io::{Seek as _, Write as _};
    const PAGE: usize = 4096;
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let queue = SqliteQueue::open(&database, wide(), Arc::new(Metrics::new())).unwrap();
    for _ in 0..400 {
        append_large(&queue, tunnel).await.unwrap();
    }
    podtap_disk::sqlite::truncate_log(&database.writer().unwrap()).unwrap();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .open(database.path())
        .unwrap();
    let pages = database.path().metadata().unwrap().len() / PAGE as u64;
    file.seek(std::io::SeekFrom::Start(pages / 2 * PAGE as u64))
        .unwrap();
    file.write_all(&[0x5a; PAGE]).unwrap();
    drop(file);

    let all = ReadLimit {
        events: 1000,
        bytes: 1 << 22,
    };
    let events = loop {
        // The first reads may fail because of the damage; later reads find the rebuilt file.
        if let Ok(events) = queue.read_after(tunnel, Seq(0), all).await
            && append_large(&queue, tunnel).await.is_ok()
        {
            break events;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };

    assert!(folder.path().join("relay.db.damaged").exists());
    assert!(events.len() > 300, "{}", events.len());
}

#[tokio::test]
async fn what_was_just_committed_is_not_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let queue = SqliteQueue::open(&database, wide(), Arc::new(Metrics::new())).unwrap();
    append(&queue, tunnel).await.unwrap();
    let follows = queue.follow(tunnel).await.unwrap();
    append(&queue, tunnel).await.unwrap();
    append(&queue, tunnel).await.unwrap();
    let elsewhere = database.writer().unwrap();
    elsewhere.execute("DELETE FROM events", []).unwrap();

    let all = ReadLimit {
        events: 256,
        bytes: 1 << 20,
    };
    let events = queue.read_after(tunnel, Seq(1), all).await.unwrap();

    let numbers: Vec<_> = events.iter().map(|event| event.seq.0).collect();
    assert_eq!(numbers, [2, 3]);
    drop(follows);
    let again = queue.read_after(tunnel, Seq(1), all).await.unwrap();
    assert!(again.is_empty(), "they are in the database or nowhere");
}

#[tokio::test]
async fn what_agents_have_is_deleted_though_the_storage_failed_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let failing = Arc::new(AtomicBool::new(false));
    let (fails, file) = (Arc::clone(&failing), database.clone());
    let opener: ConnectionOpener = Box::new(move || {
        let mut connection = file.writer()?;
        let fails = Arc::clone(&fails);
        let hook = connection.commit_hook(Some(move || fails.load(Ordering::Relaxed)));
        hook.map(|()| connection)
            .map_err(file.error_in("install the fault"))
    });
    let metrics = Arc::new(Metrics::new());
    let queue = SqliteQueue::open_with(&database, wide(), metrics, opener).unwrap();
    append(&queue, tunnel).await.unwrap();

    failing.store(true, Ordering::Relaxed);
    queue.acknowledge_soon(tunnel, NOBODY, Seq(1));
    assert!(queue.depth(tunnel).await.is_err());
    failing.store(false, Ordering::Relaxed);

    let deleted = async {
        while queue.totals().await.unwrap().events > 0 {
            let _ = queue.settle().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), deleted)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_too_old_goes_as_fast_as_events_come() {
    const A_SECOND: u64 = 5000;
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let tunnel = make_tunnel(&database);
    let limits = EngineLimits {
        max_events: u64::MAX,
        max_owner_events: u64::MAX,
        ..wide()
    };
    let queue = SqliteQueue::open(&database, limits, Arc::new(Metrics::new())).unwrap();
    for second in 0..6 {
        let now = podtap_disk::age::Now {
            wall_ms: 1000 * i64::try_from(second).unwrap(),
            steady: Duration::from_secs(second),
        };
        let expiring = queue.expire(Duration::from_secs(2), now);
        let appends = (0..A_SECOND).map(|_| append(&queue, tunnel));
        let (expired, appended) = tokio::join!(expiring, futures_util::future::join_all(appends));
        expired.unwrap();
        assert!(appended.iter().all(Result::is_ok));
        let held = queue.depth(tunnel).await.unwrap().events();
        assert!(held <= 4 * A_SECOND, "{held} after {second} s");
    }
    let gaps = queue.gaps(tunnel).await.unwrap();
    assert_eq!(gaps.len(), 1, "one gap, and not one a second: {gaps:?}");
}
