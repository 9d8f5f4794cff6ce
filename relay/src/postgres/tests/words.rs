//! Tests the error messages for a database that cannot be used, and a database that goes
//! away and comes back.

use std::time::Duration;

use super::{Bench as _, Pg};
use crate::database::PostgresError;
use crate::database::postgres::Postgres;
use crate::queue::conformance::WIDE;
use crate::queue::{AppendError, ReadLimit};
use podtap_testing::DatabaseServer;

async fn connect_error(url: &str) -> PostgresError {
    Postgres::open(&url.parse().unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn each_thing_that_is_wrong_has_its_word() {
    let Some(server) = super::shared_server() else {
        return;
    };
    let base = format!("127.0.0.1:{}", server.port());
    let database = server.database();

    let error = connect_error("postgres://ann:s3cret@127.0.0.1:1/podtap?connect_timeout=2").await;
    assert!(
        matches!(error, PostgresError::Unreachable { .. }),
        "{error:?}"
    );
    assert!(!format!("{error} {error:?}").contains("s3cret"));

    let error = connect_error(&format!("postgres://postgres@{base}/nothing")).await;
    assert!(
        matches!(error, PostgresError::NoDatabase { .. }),
        "{error:?}"
    );

    let error = connect_error(&format!("postgres://stranger:s3cret@{base}/{database}")).await;
    assert!(matches!(error, PostgresError::Refused { .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("s3cret"));

    server.sql(
        &database,
        "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE ROLE guest LOGIN",
    );
    let error = connect_error(&format!("postgres://guest@{base}/{database}")).await;
    assert!(
        matches!(error, PostgresError::Forbidden { .. }),
        "{error:?}"
    );

    let error = connect_error(&format!(
        "postgres://postgres@{base}/{database}?sslmode=require"
    ))
    .await;
    assert!(
        matches!(
            error,
            PostgresError::Tls { .. } | PostgresError::Unreachable { .. }
        ),
        "{error:?}"
    );

    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0";
    server.sql("postgres", latin);
    let error = connect_error(&format!("postgres://postgres@{base}/latin")).await;
    assert!(matches!(error, PostgresError::Encoding { .. }), "{error:?}");

    let url = format!("postgres://postgres@{base}/{database}");
    Postgres::open(&url.parse().unwrap()).await.unwrap();
    Postgres::open(&url.parse().unwrap()).await.unwrap();
    server.sql(&database, "UPDATE podtap_schema SET number = 99");
    let error = connect_error(&url).await;
    assert!(
        matches!(error, PostgresError::Newer { found: 99, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_old_server_is_refused_by_its_version() {
    let Some(server) = super::shared_server() else {
        return;
    };
    let database = server.database();
    // The functions that the relay calls answer as an old server does.
    server.sql(
        &database,
        "CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql AS $$
             SELECT CASE $1 WHEN 'server_version_num' THEN '130014' WHEN 'server_version' THEN '13.14'
                    ELSE pg_catalog.current_setting($1) END $$",
    );
    let alter = format!("ALTER DATABASE {database} SET search_path = public, pg_catalog");
    server.sql("postgres", &alter);

    let error = connect_error(&server.url(&database)).await;

    assert!(matches!(error, PostgresError::TooOld { .. }), "{error:?}");
    let told = error.to_string();
    assert!(
        told.contains("13.14") && told.contains("14 or later"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_that_start_at_once_on_an_empty_database_make_its_tables_once() {
    let Some(server) = super::shared_server() else {
        return;
    };
    let database = server.database();
    let url = server.url(&database).parse().unwrap();

    let all = futures_util::future::join_all((0..6).map(|_| Postgres::open(&url))).await;

    for opened in all {
        opened.unwrap();
    }
    let schemas = server.sql(&database, "SELECT count(*), min(number) FROM podtap_schema");
    let newest = crate::database::postgres::newest();
    assert_eq!(schemas, format!("1|{newest}"));
}

#[tokio::test]
async fn every_connection_commits_to_stable_storage() {
    let Some(server) = super::shared_server() else {
        return;
    };
    let database = server.database();
    for (set, expected) in [
        ("off", "on"),
        ("local", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        let alter = format!("ALTER DATABASE {database} SET synchronous_commit = '{set}'");
        server.sql("postgres", &alter);
        let url = server.url(&database).parse().unwrap();
        let opened = Postgres::open(&url).await.unwrap();
        let own = opened.connector().own().await.unwrap();
        let row = own.client.query_one("SHOW synchronous_commit", &[]).await;
        assert_eq!(row.unwrap().get::<_, String>(0), expected, "{set}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_crashed_is_used_again_with_all_that_was_accepted() {
    let Some(server) = DatabaseServer::start(&[]) else {
        return;
    };
    let url = server.url(&server.database()).parse().unwrap();
    let relay = Pg::at(&url, WIDE).await;
    let (queue, tunnel) = (relay.queue(), relay.tunnel().await);
    let append = async || crate::queue::conformance::append(&*queue, tunnel, "x").await;
    assert!(append().await.is_ok());

    server.crash();
    assert_eq!(append().await, Err(AppendError::Unavailable));
    assert_eq!(queue.probe().await, Err(AppendError::Unavailable));
    server.restart();

    let mut last = append().await;
    while last.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
        last = append().await;
    }
    assert_eq!(queue.probe().await, Ok(()));
    let all = ReadLimit {
        events: 100,
        bytes: 1 << 20,
    };
    let events = queue.read_after(tunnel, podtap_wire::Seq(0), all).await;
    let numbers: Vec<u64> = events.unwrap().iter().map(|event| event.seq.0).collect();
    assert_eq!(numbers, (1..=last.unwrap().0).collect::<Vec<_>>());
}
