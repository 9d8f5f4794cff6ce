//! Debian's PgBouncer between a relay and its database.

use std::path::Path;

use tokio::net::TcpStream;

use crate::support::{Service, SharedStage, form_post, own_port, pause, script};

const PGBOUNCER: &str = "/usr/sbin/pgbouncer";

/// Starts PgBouncer in this mode in front of the database; returns its URL.
async fn pooler(shared: &SharedStage, mode: &str) -> String {
    let (port, server) = (own_port(), shared.server.port());
    let database = shared.server.database();
    let config = format!(
        "[databases]\\n\
         {database} = host=127.0.0.1 port={server} user=postgres\\n\
         [pgbouncer]\\n\
         listen_addr = 127.0.0.1\\n\
         listen_port = {port}\\n\
         unix_socket_dir =\\n\
         auth_type = any\\n\
         pool_mode = {mode}\\n"
    );
    let folder = shared.server.folder().display();
    let server = &shared.server;
    server.run(&format!("printf '{config}' >{mode}.ini"));
    server.order(&format!("spawn {PGBOUNCER} {folder}/{mode}.ini"));
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        pause(std::time::Duration::from_millis(20)).await;
    }
    format!("postgres://postgres:s3cret@127.0.0.1:{port}/{database}")
}

#[tokio::test(flavor = "multi_thread")]
async fn pgbouncer_is_refused_in_transaction_mode_and_works_in_session_mode() {
    let missing = "install pgbouncer to try a pooler before the database";
    if !script::available("bash", Some(Path::new(PGBOUNCER)), missing) {
        return;
    }
    let Some(shared) = SharedStage::new() else {
        return;
    };
    let stage = &shared.stage;
    for mode in ["transaction", "statement"] {
        let url = pooler(&shared, mode).await;
        for command in [
            &["relay", "--listen", "127.0.0.1:0"][..],
            &["relay", "token", "list"],
            &["tunnels", "list"],
        ] {
            let (code, stdout, stderr) = stage.run(&[command, &["--database", &url]].concat());
            assert_eq!(code, 1, "{mode} {command:?}: {stderr}");
            for word in ["PgBouncer", "pool_mode=session"] {
                assert!(stderr.contains(word), "{mode} {command:?}: {stderr}");
            }
            assert!(!format!("{stdout}{stderr}").contains("s3cret"), "{stderr}");
        }
    }

    let url = pooler(&shared, "session").await;
    let options = ["--database", &url];
    let relay = stage.relay_with("127.0.0.1:0", &options).await;
    let create = ["relay", "token", "create", "ann", "--database", &url];
    let token = stage.succeed(&create).trim().to_owned();
    let service = Service::start().await;
    let (_agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let accepted = form_post(&url, b"type=item.update&item_id=1").await;
    assert_eq!(accepted.status, 200);
    stage.wait_until_settled(&[], 1);
}
