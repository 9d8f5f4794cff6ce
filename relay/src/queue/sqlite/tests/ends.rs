//! Tests where a queue ends, according to its last event and to its row.

use super::*;
use crate::database::ENDS;
use crate::queue::conformance::NOBODY;

fn row_says(database: &Database) -> u64 {
    let connection = database.reader().unwrap();
    let noted = connection.query_row("SELECT last_seq FROM queues", [], |row| row.get(0));
    noted.unwrap()
}

#[tokio::test]
async fn an_append_leaves_the_row_of_its_queue_alone_and_it_follows() {
    let bench = Sqlite::new(wide()).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    for number in 1..=15 {
        assert_eq!(append(&*queue, tunnel).await, Ok(Seq(number)));
    }
    assert_eq!(row_says(&bench.database), 0);
    assert_eq!(queue.totals().await.unwrap().events, 15);
    assert_eq!(queue.depth(tunnel).await.unwrap().last, Seq(15));

    append(&*queue, tunnel).await.unwrap();
    assert_eq!(row_says(&bench.database), 16, "never far behind");

    append(&*queue, tunnel).await.unwrap();
    queue
        .expire(Duration::from_hours(1), never())
        .await
        .unwrap();
    assert_eq!(row_says(&bench.database), 17, "by the clock");

    append(&*queue, tunnel).await.unwrap();
    queue.acknowledge(tunnel, NOBODY, Seq(18)).await.unwrap();
    assert_eq!(row_says(&bench.database), 18, "where nothing is left");

    append(&*queue, tunnel).await.unwrap();
    queue.close().await;
    assert_eq!(row_says(&bench.database), 19, "at the end");
}

#[tokio::test]
async fn numbers_go_on_after_a_kill_before_the_row_followed() {
    let bench = Sqlite::new(wide()).await;
    let (queue, tunnel) = (bench.queue(), bench.tunnel().await);
    for _ in 0..5 {
        append(&*queue, tunnel).await.unwrap();
    }
    let held = queue.depth(tunnel).await.unwrap().bytes;
    // The copy is in the state that a killed process leaves: no shutdown code ran on it.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("relay.db");
    let connection = bench.database.writer().unwrap();
    connection
        .execute("VACUUM INTO ?1", [copy.to_str().unwrap()])
        .unwrap();
    drop(connection);

    let again = Sqlite::open(folder, wide());

    let last: u64 = (again.database.reader().unwrap())
        .query_row(&format!("SELECT last_seq FROM {ENDS}"), [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(last, 5);
    let depth = again.queue.depth(tunnel).await.unwrap();
    assert_eq!((depth.last, depth.bytes), (Seq(5), held));
    assert_eq!(append(&*again.queue, tunnel).await, Ok(Seq(6)));
}
