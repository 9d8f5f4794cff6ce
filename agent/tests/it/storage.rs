//! Tests what the agent does when its history cannot
//! be written or read, and what it removes for good.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::support::running::{RunningAgent, append, rows};
use crate::support::{
    Service, browsing, delivering, event, eventually, history_of, item_update, ok,
};
use podtap_agent::history::{DeliveryState, Filter, History, NewEvent, Position, SavedFilters};
use podtap_agent::{Agent, LinkState, OpenError};
use rusqlite::Connection;
use tempfile::TempDir;

#[tokio::test]
async fn a_history_that_is_missing_for_a_while_stops_nothing_for_good() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    append(&folder, vec![item_update(1, 1)]).await;
    let running = RunningAgent::start(delivering(&folder, service.address));
    running.wait_for_deliveries(1).await;

    let (file, away) = (history_of(&folder), folder.path().join("away"));
    std::fs::rename(&file, &away).unwrap();
    let noted = running
        .handle
        .annotate(Position(1), event(1, "").id, Some("x"));
    assert!(noted.await.is_err(), "what goes into a moved file is lost");
    eventually("the state is shown", || async {
        match running.handle.status().borrow().link.clone() {
            LinkState::Connecting {
                reason: Some(reason),
                ..
            } if reason.contains("the history cannot be written") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    std::fs::rename(&away, &file).unwrap();

    eventually("it is over by itself", || async {
        let noted = running
            .handle
            .annotate(Position(1), event(1, "").id, Some("x"));
        noted.await.map_err(|error| error.to_string())
    })
    .await;
    running.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_costs_itself_alone_and_is_told() {
    let folder = TempDir::new().unwrap();
    let service = Service::start(|_| ok()).await;
    append(&folder, (1..=20).map(|n| item_update(n, n)).collect()).await;
    Connection::open(history_of(&folder))
        .unwrap()
        .execute_batch(
            "UPDATE requests SET headers = 'noise' WHERE position = 7;
             UPDATE events SET received_at = 9223372036854775807 WHERE position = 9;
             DELETE FROM requests WHERE position = 11;",
        )
        .unwrap();
    let before = History::open_read_only(&history_of(&folder)).unwrap();
    assert_eq!(before.damage(Position(1)).await.unwrap().unreadable, 3);
    drop(before);

    let running = RunningAgent::start(delivering(&folder, service.address));
    running.wait_for_deliveries(17).await;

    let history = running.handle.history();
    eventually("three are set aside", || async {
        let damage = history.damage(Position(1)).await.unwrap();
        if (damage.set_aside, damage.unreadable) == (3, 0) {
            Ok(())
        } else {
            Err(format!("{damage:?}"))
        }
    })
    .await;
    assert_eq!(rows(history).await.len(), 17);
    running.stop().await;
}

/// Overwrites 1,024 bytes of a file, from byte `at`, with noise.
fn noise(path: &Path, at: u64) {
    let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    let noise: Vec<u8> = (0..=u8::MAX)
        .map(|n| n.wrapping_mul(151))
        .cycle()
        .take(1024)
        .collect();
    file.write_all(&noise).unwrap();
}

#[tokio::test]
async fn a_damaged_history_is_rebuilt_after_the_agent_was_cut_off() {
    let mut mostly_whole = 0;
    for place in 1..8 {
        let folder = TempDir::new().unwrap();
        let service = Service::start(|_| ok()).await;
        append(&folder, (1..=400).map(|n| item_update(n, n)).collect()).await;
        let file = history_of(&folder);
        // Page 1 contains the schema, without which the file is not a history.
        let pages = file.metadata().unwrap().len() / 4096 - 1;
        noise(&file, (1 + pages * place / 8) * 4096 + 700);
        std::fs::write(folder.path().join("test.db.lock"), "1\n").unwrap();

        let opened = Agent::open(delivering(&folder, service.address));
        if let Err(error) = opened {
            // Without the list of tables, nothing can be recovered.
            assert!(matches!(error, OpenError::History(_)), "{error:?}");
            assert_eq!(place, 4, "{error:?}");
            continue;
        }
        drop(opened);
        let running = RunningAgent::start(delivering(&folder, service.address));
        let history = running.handle.history();
        assert_eq!(history.check().await.unwrap(), None, "place {place}");
        let left = rows(history).await.len() as u64;
        let lost = history.damage(Position(0)).await.unwrap().events();
        // If the noise hits the root of a table, the whole table is lost.
        mostly_whole += usize::from(left >= 330);
        assert_eq!(left + lost, 400, "place {place}: nothing is silently less");
        running
            .wait_for_deliveries(usize::try_from(left).unwrap())
            .await;
        running.stop().await;
    }
    assert!(mostly_whole >= 5, "{mostly_whole} of 7");
}

/// Returns how often these bytes occur in all files of a folder.
fn found_on_disk(folder: &Path, bytes: &[u8]) -> usize {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .map(|content| content.windows(bytes.len()).filter(|w| *w == bytes).count())
        .sum()
}

#[tokio::test]
async fn what_is_deleted_is_in_no_file_any_more() {
    let folder = TempDir::new().unwrap();
    let secret = "annasophia";
    let body = |n: u64| {
        let who = if n.is_multiple_of(2) { secret } else { "other" };
        format!(
            "type=item.update&item_id={n}&title={who}&text={}",
            "x".repeat(600)
        )
    };
    let held = |n| NewEvent {
        state: DeliveryState::Held,
        ..event(n, &body(n))
    };
    append(&folder, (1..=300).map(held).collect()).await;
    let running = RunningAgent::start(browsing(&folder));
    let handle = running.handle.clone();
    eventually("all words are in the index", || async {
        let filter =
            Filter::parse(secret, jiff::Timestamp::now(), &SavedFilters::default()).unwrap();
        let found = handle.history().count(filter).await.unwrap();
        if found == 150 {
            Ok(())
        } else {
            Err(found.to_string())
        }
    })
    .await;
    assert!(found_on_disk(folder.path(), secret.as_bytes()) > 0);

    let doomed = (1..=150).map(|n| Position(2 * n)).collect();
    assert_eq!(handle.delete_events(doomed).await.unwrap(), 150);
    handle.scrub().await.unwrap();

    assert_eq!(found_on_disk(folder.path(), secret.as_bytes()), 0);
    assert_eq!(rows(handle.history()).await.len(), 150);
    running.stop().await;
    drop(handle);
    let beside = ["-wal", "-shm"].map(|end| folder.path().join(format!("test.db{end}")));
    eventually("the log does not outlive the end", || async {
        match beside.iter().find(|path| path.exists()) {
            Some(path) => Err(path.display().to_string()),
            None => Ok(()),
        }
    })
    .await;
}
