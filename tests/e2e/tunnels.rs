//! Invariant 6: only the owner gets in, the URL stays, and a newer connection takes over.

use crate::support::{Service, Stage, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn same_owner_and_name_get_the_same_url_with_any_of_the_owners_tokens() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let (first, second) = (stage.token("ann"), stage.token("ann"));
    let stranger = stage.token("ben");

    let (agent, url) = stage
        .agent(&relay.url(), &first, service.address(), &[])
        .await;
    drop(agent);
    let (agent, again) = stage
        .agent(&relay.url(), &second, service.address(), &[])
        .await;
    assert_eq!(again, url);
    drop(agent);
    let (_agent, other) = stage
        .agent(&relay.url(), &stranger, service.address(), &[])
        .await;
    assert_ne!(
        other, url,
        "another owner's tunnel of the same name is another tunnel"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_connection_takes_the_tunnel_over_and_the_older_one_says_so() {
    let (stage, elsewhere, service) = (Stage::new(), Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (mut older, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;

    let (newer, _) = elsewhere
        .agent(&relay.url(), &token, service.address(), &[])
        .await;

    let status = older.ended().await;
    assert_eq!(status.code(), Some(7), "{}", older.stderr());
    let said = older.stderr();
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    assert!(
        said.contains(&format!("another agent on {host} has the tunnel since")),
        "{said}"
    );

    // A supervisor starts it again at once, and it does not fight for the tunnel.
    let mut again = stage.start_agent(&relay.url(), &token, service.address(), &[]);
    assert_eq!(again.ended().await.code(), Some(7), "{}", again.stderr());
    assert!(again.stderr().contains("--take-over"), "{}", again.stderr());
    form_post(&url, b"type=item.create&item_id=1").await;
    newer
        .object("event", |event| event["event"] == "item.create")
        .await;

    // A person takes it all the same.
    let options = ["--take-over"];
    let (_third, _) = stage
        .agent(&relay.url(), &token, service.address(), &options)
        .await;
    let mut newer = newer;
    assert_eq!(newer.ended().await.code(), Some(7), "{}", newer.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_its_agent_at_once() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (mut agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;

    stage.succeed(&[
        "relay",
        "token",
        "revoke",
        "ann",
        "--data-dir",
        &stage.relay_dir(),
    ]);

    assert_eq!(agent.ended().await.code(), Some(3), "{}", agent.stderr());
    assert!(agent.stderr().contains("revoked"), "{}", agent.stderr());
    assert!(
        !agent.stderr().contains(&token),
        "the token itself is never printed"
    );
    assert_eq!(
        form_post(&url, b"type=x").await.status,
        200,
        "the tunnel itself goes on"
    );
    let listed = stage.succeed(&["relay", "token", "list", "--data-dir", &stage.relay_dir()]);
    assert!(
        listed.contains("ann") && !listed.contains(&token),
        "{listed}"
    );
}
