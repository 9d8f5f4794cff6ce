//! Measures how fast an agent's history stores events and attempts if it already has a
//! given number of events. A history that was used for a year should be nearly as fast as a
//! new one. Prints one line of JSON.

use std::time::Duration;

use clap::Parser;
use jiff::Timestamp;
use podtap_agent::history::{Attempt, NewAttempt, NewEvent, Outcome, Position, Writer};
use podtap_bench::history::{copy_filled, event_at, fresh};
use tokio::time::Instant;

/// The number of the first event, larger than any number in a filled history.
const FIRST: u64 = 1 << 40;

#[derive(Debug, Parser)]
#[command(about = "Appends events and attempts to a history of a given size")]
struct AppendOptions {
    /// Number of events that the history has before; filling it takes some minutes for a million
    #[arg(long, default_value_t = 0)]
    filled: u64,
    /// Events to append, each with an attempt
    #[arg(long, default_value_t = 20_000)]
    events: u64,
    /// Number of events per commit
    #[arg(long, default_value_t = 256)]
    batch: u64,
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the result, for the benchmark script")]
async fn main() -> anyhow::Result<()> {
    let options = AppendOptions::parse();
    let folder = match options.filled {
        0 => fresh()?,
        filled => copy_filled(filled, "history").await?,
    };
    let (writer, thread) = Writer::open(&folder.path().join("history.db"), |_| {})?;
    let Position(mut newest) = writer.tally().borrow().newest;
    let begun = Instant::now();
    for first in (0..options.events).step_by(usize::try_from(options.batch.max(1))?) {
        let numbers = first..options.events.min(first + options.batch);
        let events = numbers.map(|number| event_at(Timestamp::now(), FIRST + number));
        let events: Vec<_> = events.collect();
        let mut ended = Vec::with_capacity(events.len());
        for event in &events {
            newest += 1;
            ended.push(answered_attempt(event, Position(newest)));
        }
        writer.append(events).await?;
        let last = ended.pop();
        for attempt in ended {
            writer.record_soon(attempt).await?;
        }
        // Once the last attempt is recorded, all attempts before it are on the disk.
        if let Some(last) = last {
            writer.record(last).await?;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let result = serde_json::json!({ "events": options.events, "seconds": seconds });
    println!("{result}");
    thread.close().await;
    Ok(())
}

fn answered_attempt(event: &NewEvent, position: Position) -> NewAttempt {
    NewAttempt {
        position,
        again: false,
        others: Vec::new(),
        attempt: Attempt {
            number: 0,
            event: event.id,
            replay: false,
            imported: false,
            url: "http://127.0.0.1:3000/podio/hook".to_owned(),
            target: None,
            edited: None,
            started_at: event.request.received_at,
            duration: Duration::from_millis(2),
            outcome: Outcome::Answered {
                status: 200,
                headers: [("content-type", "text/plain")].into_iter().collect(),
                body: "ok".into(),
                body_bytes: 2,
            },
        },
    }
}
