//! The machine of the database fails, or its synchronous standby does.

use std::time::Duration;

use crate::lossless::{Load, is_whole};
use crate::support::{
    DatabaseServer, Process, Relay, Service, Stage, eventually, form_post, pause,
};

const EVENTS: usize = 600;

/// A relay with a database that has a synchronous standby, and an agent.
struct Pair {
    stage: Stage,
    service: Service,
    primary: DatabaseServer,
    standby: DatabaseServer,
    url: String,
    _relay: Relay,
    _agent: Process,
}

impl Pair {
    async fn start() -> Option<Self> {
        let primary = DatabaseServer::start(&[])?;
        let (stage, service) = (Stage::new(), Service::start().await);
        let database = primary.database();
        let (folder, one) = (primary.folder().display(), primary.port());
        let followed = format!("host={folder} port={one} user=postgres");
        let standby = DatabaseServer::start_as(&followed, &[])?;
        // Set only now: otherwise creating the standby would wait for a standby.
        let names = "ALTER SYSTEM SET synchronous_standby_names = '*'";
        primary.sql("postgres", names);
        primary.reload();
        let state = || primary.sql("postgres", "SELECT sync_state FROM pg_stat_replication");
        let follows = || (state() == "sync").then_some(());
        eventually("the standby follows", follows, state).await;
        let another = standby.port();
        let database = format!(
            "postgres://postgres@127.0.0.1:{one},127.0.0.1:{another}/{database}?target_session_attrs=read-write"
        );
        let relay = stage
            .relay_with("127.0.0.1:0", &["--database", &database])
            .await;
        let create = ["relay", "token", "create", "ann", "--database", &database];
        let token = stage.succeed(&create).trim().to_owned();
        let relay_url = relay.url();
        let (agent, url) = stage
            .agent(&relay_url, &token, service.address(), &[])
            .await;
        Some(Self {
            stage,
            service,
            primary,
            standby,
            url,
            _relay: relay,
            _agent: agent,
        })
    }

    /// Checks that a webhook is refused so that Podio sends it again.
    async fn is_refused(&self) {
        let refused = form_post(&self.url, b"type=item.update&item_id=1&n=0").await;
        assert_eq!(refused.status, 503);
        assert!(refused.header("retry-after").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_a_synchronous_standby_takes_over() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let load = Load::start(&pair.url, EVENTS);
    load.reaches(EVENTS / 3).await;

    pair.primary.crash();
    // The standby runs but does not accept writes yet.
    pair.is_refused().await;
    pair.standby.sql("postgres", "SELECT pg_promote()");
    load.end().await;

    is_whole(&pair.stage, &pair.service, EVENTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_machine_has_is_not_accepted() {
    let Some(pair) = Pair::start().await else {
        return;
    };
    let post = async || {
        form_post(&pair.url, b"type=item.update&item_id=1&n=1")
            .await
            .status
    };
    assert_eq!(post().await, 200);

    pair.standby.crash();
    pair.is_refused().await;
    pair.standby.restart();

    while post().await != 200 {
        pause(Duration::from_millis(100)).await;
    }
}
