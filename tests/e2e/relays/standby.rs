//! The machine of the database fails, and its synchronous standby takes over.

use crate::lossless::{Load, is_whole};
use crate::support::{Server, Service, Stage, eventually, form_post};

const EVENTS: usize = 600;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_a_synchronous_standby_takes_over() {
    let Some(primary) = Server::start(&[]) else {
        return;
    };
    let (stage, service) = (Stage::new(), Service::start().await);
    let database = primary.database();
    let (folder, one) = (primary.folder().display(), primary.port());
    let followed = format!("host={folder} port={one} user=postgres");
    let standby = Server::start_as(&followed, &[]).unwrap();
    // After the standby was made, which would wait for one of its own otherwise.
    primary.sql(
        "postgres",
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
    );
    primary.reload();
    let state = || primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication");
    let follows = || (state() == "sync").then_some(());
    eventually("the standby follows", follows, state).await;
    let another = standby.port();
    let database = format!(
        "postgres://postgres@127.0.0.1:{one},127.0.0.1:{another}/{database}?target_session_attrs=read-write"
    );
    let options = ["--database", &database];
    let relay = stage.relay_with("127.0.0.1:0", &options).await;
    let create = ["relay", "token", "create", "ann", "--database", &database];
    let token = stage.succeed(&create).trim().to_owned();
    let relay_url = relay.url();
    let (_agent, url) = stage
        .agent(&relay_url, &token, service.address(), &[])
        .await;

    let load = Load::start(&url, EVENTS);
    load.reaches(EVENTS / 3).await;
    primary.crash();
    // The standby is there, and takes nothing yet.
    let refused = form_post(&url, b"type=item.update&item_id=1&n=0").await;
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    standby.sql("postgres", "SELECT pg_promote()");
    load.end().await;

    is_whole(&stage, &service, EVENTS).await;
}
