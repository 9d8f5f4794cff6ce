//! Measures the cost of storing large bodies on stable storage, without a relay: batches of events
//! go into SQLite as the relay's queue writes them, and, for comparison, in two ways that keep
//! bodies out of SQLite's pages. Prints one line per way: events per second, CPU time, system
//! calls that write, bytes written.
//!
//!     cargo run --release -p podtap-bench --bin bodies -- --body 10000 --secs 2

use std::fs::File;
use std::io::{IoSlice, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use podtap_bench::usage;
use podtap_disk::sqlite::{self, Profile};
use rusqlite::{Connection, TransactionBehavior};
use tokio::time::Instant;

/// Bytes of a log's file. The file is filled before the measurement, and reused from its beginning.
const LOG_BYTES: u64 = 256 * 1024 * 1024;

/// Headers of about the size that webhooks have.
const HEADERS: &str = r#"[["host","relay.example.com"],["user-agent","Podio Hooks"],["content-type","application/x-www-form-urlencoded"],["content-length","10000"]]"#;

const TABLES: &str = "
    CREATE TABLE events (tunnel INTEGER NOT NULL, seq INTEGER NOT NULL, bytes_through INTEGER NOT NULL,
        received_at INTEGER NOT NULL, id BLOB NOT NULL, peer TEXT, method TEXT NOT NULL, path TEXT NOT NULL,
        headers TEXT NOT NULL, body BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX events_by_seq ON events (tunnel, seq);";

#[derive(Parser)]
struct Args {
    /// Bytes per body.
    #[arg(long, default_value_t = 10_000)]
    body: usize,
    /// Number of events per commit.
    #[arg(long, default_value_t = 24)]
    batch: usize,
    /// Seconds to measure each way.
    #[arg(long, default_value_t = 2)]
    secs: u64,
    /// Folder for the files; its file system is measured.
    #[arg(long, default_value = "target")]
    folder: std::path::PathBuf,
}

/// A way to store a batch of events with these bodies. `first` is the number of the first event.
trait BatchStore {
    fn store(&mut self, first: usize, bodies: &[&[u8]]) -> anyhow::Result<()>;
}

/// Storage of bodies in SQLite's pages, as in the relay.
struct InPages(Connection);

/// Storage of bodies in a separate log, with their offsets in SQLite: two syncs.
struct BodiesApart(Log, Connection);

/// Storage of everything in a log without an index. No storage can be faster.
struct LogAlone(Log);

struct Log {
    file: File,
    at: u64,
}

impl BatchStore for InPages {
    fn store(&mut self, first: usize, bodies: &[&[u8]]) -> anyhow::Result<()> {
        insert(&mut self.0, first, bodies)
    }
}

impl BatchStore for BodiesApart {
    fn store(&mut self, first: usize, bodies: &[&[u8]]) -> anyhow::Result<()> {
        let Self(log, connection) = self;
        let place = log.append(bodies)?.to_be_bytes();
        let places = vec![&place[..]; bodies.len()];
        insert(connection, first, &places)
    }
}

impl BatchStore for LogAlone {
    fn store(&mut self, _: usize, bodies: &[&[u8]]) -> anyhow::Result<()> {
        let heads = bodies.iter().flat_map(|body| [HEADERS.as_bytes(), body]);
        self.0.append(&heads.collect::<Vec<_>>()).map(drop)
    }
}

impl Log {
    fn new(path: &Path) -> anyhow::Result<Self> {
        let mut file = podtap_disk::private::create_new(path)?;
        // The space is written and not only reserved, because the first write of a
        // block makes a sync more expensive.
        let zeros = vec![0; 1024 * 1024];
        for _ in 0..LOG_BYTES / (1024 * 1024) {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        Ok(Self { file, at: 0 })
    }

    fn append(&mut self, parts: &[&[u8]]) -> anyhow::Result<u64> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        if self.at + length as u64 > LOG_BYTES {
            self.at = 0;
        }
        let begun = self.at;
        self.file.seek(SeekFrom::Start(begun))?;
        let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut left = &mut slices.clone()[..];
        while !left.is_empty() {
            let written = self.file.write_vectored(left)?;
            IoSlice::advance_slices(&mut left, written);
        }
        self.file.sync_data()?;
        self.at += length as u64;
        Ok(begun)
    }
}

fn insert(connection: &mut Connection, first: usize, bodies: &[&[u8]]) -> anyhow::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (number, body) in bodies.iter().enumerate() {
        let (seq, id) = (first + number, [7; 16]);
        transaction
            .prepare_cached("INSERT INTO events VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute((
                seq,
                seq * body.len(),
                1_800_000_000_000_i64,
                id,
                "127.0.0.1",
                "POST",
                podtap_agent::draft::PATH,
                HEADERS,
                *body,
            ))?;
    }
    Ok(transaction.commit()?)
}

fn database(folder: &Path, page_bytes: u32, log_mib: u32) -> anyhow::Result<Connection> {
    let profile = Profile {
        page_bytes,
        cache_kib: 16_000,
        checkpoint_bytes: log_mib * 1024 * 1024,
        has_triggers: true,
    };
    let connection = sqlite::writer(&folder.join("relay.db"), &profile)?;
    connection.execute_batch(TABLES)?;
    Ok(connection)
}

/// Returns the number of system calls that write, and of bytes written, of this process until now.
fn write_counts() -> anyhow::Result<(u64, u64)> {
    let about = std::fs::read_to_string("/proc/self/io")?;
    let field = |name: &str| {
        let mut lines = about.lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found
            .and_then(|text| text.parse().ok())
            .context("/proc/self/io is not as expected")
    };
    Ok((field("syscw")?, field("write_bytes")?))
}

#[expect(clippy::print_stdout, reason = "the result")]
fn measure(name: &str, args: &Args, mut way: impl BatchStore) -> anyhow::Result<()> {
    let body = vec![b'x'; args.body];
    let bodies = vec![&body[..]; args.batch];
    let (cpu, (calls, bytes)) = (usage::cpu(std::process::id())?, write_counts()?);
    let (begun, mut events) = (Instant::now(), 0);
    while begun.elapsed() < Duration::from_secs(args.secs) {
        way.store(events + 1, &bodies)?;
        events += args.batch;
    }
    let took = begun.elapsed();
    // The remaining part of the log is copied at the next checkpoint, which
    // is part of the measurement.
    drop(way);
    let (calls_after, bytes_after) = write_counts()?;
    let cpu = usage::cpu(std::process::id())?.saturating_sub(cpu);
    #[expect(
        clippy::cast_precision_loss,
        reason = "some thousands, for people to read"
    )]
    let each = |total: u64| total as f64 / events as f64;
    println!(
        "{name:34} {:8.0} events/s  {:6.0} µs CPU  {:5.1} writes  {:8.1} KB an event",
        1e6 / (each(u64::try_from(took.as_micros())?)),
        each(u64::try_from(cpu.as_micros())?),
        each(calls_after - calls),
        each(bytes_after - bytes) / 1024.0,
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result")]
fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("{} B a body, {} events a commit", args.body, args.batch);
    let fresh = || tempfile::tempdir_in(&args.folder);
    for page in [4096, 8192, 16_384] {
        let folder = fresh()?;
        let way = InPages(database(folder.path(), page, 16)?);
        measure(&format!("SQLite, pages of {page}, log 16 MiB"), &args, way)?;
    }
    let folder = fresh()?;
    let way = InPages(database(folder.path(), 4096, 4)?);
    measure("SQLite, pages of 4096, log 4 MiB", &args, way)?;
    let folder = fresh()?;
    let log = Log::new(&folder.path().join("bodies"))?;
    let way = BodiesApart(log, database(folder.path(), 4096, 16)?);
    measure("bodies in a log, rows in SQLite", &args, way)?;
    let folder = fresh()?;
    let way = LogAlone(Log::new(&folder.path().join("log"))?);
    measure("a log alone", &args, way)
}
