//! Invariant 6: only the owner has access, the URL stays, and a newer connection takes over.

use crate::support::{Process, Service, Stage, eventually, form_post};

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
    let (relay, token, mut older, url) = stage.way_to(&service, &[]).await;

    let (newer, _) = elsewhere
        .agent(&relay.url(), &token, service.address(), &[])
        .await;

    let status = older.wait_for_end().await;
    assert_eq!(status.code(), Some(7), "{}", older.stderr());
    let said = older.stderr();
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    assert!(
        said.contains(&format!("another agent on {host} has the tunnel since")),
        "{said}"
    );

    // A supervisor restarts it at once, and it does not take the tunnel back.
    let mut again = stage.start_agent(&relay.url(), &token, service.address(), &[]);
    assert_eq!(
        again.wait_for_end().await.code(),
        Some(7),
        "{}",
        again.stderr()
    );
    assert!(again.stderr().contains("--take-over"), "{}", again.stderr());
    form_post(&url, b"type=item.create&item_id=1").await;
    newer
        .object("event", |event| event["event"] == "item.create")
        .await;

    // A person can take it over nevertheless.
    let options = ["--take-over"];
    let (_third, _) = stage
        .agent(&relay.url(), &token, service.address(), &options)
        .await;
    let mut newer = newer;
    assert_eq!(
        newer.wait_for_end().await.code(),
        Some(7),
        "{}",
        newer.stderr()
    );
}

/// An agent that is restarted as soon as it ends, as by a supervisor.
/// Counts the starts, and stores the exit codes and the output.
struct SupervisedAgent {
    stage: Stage,
    relay: String,
    token: String,
    service: std::net::SocketAddr,
    agent: Process,
    ends: Vec<(Option<i32>, String)>,
}

impl SupervisedAgent {
    fn start(relay: &str, token: &str, service: std::net::SocketAddr) -> Self {
        let stage = Stage::new();
        let agent = stage.start_agent(relay, token, service, &[]);
        Self {
            stage,
            relay: relay.to_owned(),
            token: token.to_owned(),
            service,
            agent,
            ends: Vec::new(),
        }
    }

    /// Waits until the agent has ended this number of times.
    async fn times(&mut self, ends: usize) {
        while self.ends.len() < ends {
            let status = self.agent.wait_for_end().await;
            self.ends.push((status.code(), self.agent.stderr()));
            self.agent = self
                .stage
                .start_agent(&self.relay, &self.token, self.service, &[]);
        }
    }

    fn has_the_tunnel(&self) -> bool {
        !self.agent.objects("ready").is_empty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_supervised_agents_do_not_take_the_tunnel_from_each_other_for_ever() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let mut older = SupervisedAgent::start(&relay.url(), &token, service.address());
    older.agent.object("ready", |_| true).await;
    let mut newer = SupervisedAgent::start(&relay.url(), &token, service.address());
    newer.agent.object("ready", |_| true).await;

    // Well within the minute in which the older agent cannot take the tunnel back.
    tokio::select! {
        () = older.times(4) => {}
        () = newer.times(1) => {}
    }

    assert_eq!(newer.ends, [], "the newer one keeps it");
    assert!(newer.has_the_tunnel());
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy();
    for (code, said) in &older.ends {
        assert_eq!(*code, Some(7), "{said}");
        let who = format!("another agent on {host} has the tunnel since");
        assert!(said.contains(&who), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_its_agent_at_once() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, token, mut agent, url) = stage.way_to(&service, &[]).await;

    stage.succeed(&[
        "relay",
        "token",
        "revoke",
        "ann",
        "--data-dir",
        &stage.relay_dir(),
    ]);

    assert_eq!(
        agent.wait_for_end().await.code(),
        Some(3),
        "{}",
        agent.stderr()
    );
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

#[tokio::test(flavor = "multi_thread")]
async fn tunnels_are_looked_after_by_their_owner_and_on_the_data_folder() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let (token, bens) = (stage.token("ann"), stage.token("ben"));
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let token_file = stage.home().join("token");
    std::fs::write(&token_file, &token).unwrap();
    let (at, file) = (relay.url(), token_file.display().to_string());
    let own = ["--relay", &at, "--token-file", &file];
    let dir = stage.relay_dir();
    let tunnels = |words: &[&str], way: &[&str]| stage.run(&[&["tunnels"], words, way].concat());

    let (code, listed, _) = tunnels(&["list"], &own);
    assert!(
        code == 0 && listed.contains(&url) && listed.contains("connected since"),
        "{listed}"
    );
    let (_, json, _) = tunnels(&["list", "--json"], &["--data-dir", &dir]);
    let object: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(
        (&object["type"], &object["owner"]),
        (&"tunnel".into(), &"ann".into())
    );
    assert_eq!(
        object["url"],
        url.as_str(),
        "the relay has told how the world reaches it"
    );

    // A new URL: the running agent prints it, and the old one works for the grace period.
    let (code, new, said) = tunnels(&["rotate", "crm", "--grace", "1h"], &own);
    assert_eq!(code, 0, "{said}");
    let new = new.trim();
    assert!(new != url && said.contains("works until"), "{said}");
    agent.object("url", |object| object["url"] == new).await;
    for each in [url.as_str(), new] {
        let path = format!("{each}podio/hook");
        assert_eq!(form_post(&path, b"type=item.create").await.status, 200);
    }
    let (code, newest, _) = tunnels(&["rotate", "crm", "--json"], &["--data-dir", &dir]);
    let rotated: serde_json::Value = serde_json::from_str(newest.trim()).unwrap();
    assert_eq!(
        (code, &rotated["old_url_until"]),
        (0, &serde_json::Value::Null)
    );
    agent
        .object("url", |object| object["url"] == rotated["url"])
        .await;
    assert_eq!(form_post(new, b"x").await.status, 404);

    // Without confirmation, nothing is deleted.
    let (code, _, said) = tunnels(&["delete", "crm"], &own);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    let (code, _, said) = tunnels(&["delete", "crm", "--yes"], &own);
    assert_eq!(code, 0, "{said}");
    let newest = rotated["url"].as_str().unwrap();
    assert_eq!(form_post(newest, b"x").await.status, 404);

    std::fs::write(&token_file, &bens).unwrap();
    let nowhere = stage.home().join("nowhere").display().to_string();
    for (words, way, code, word) in [
        (&["delete", "other", "--yes"][..], &own[..], 6, "other"),
        (&["rotate", "Other"], &own, 2, "tunnel name"),
        (&["rotate", "other", "--grace", "40d"], &own, 2, "--grace"),
        (
            &["list"],
            &["--relay", &at, "--token", "pt_wrong"],
            3,
            "token",
        ),
        (
            &["list"],
            &["--relay", "http://127.0.0.1:9", "--token", "pt_x"],
            4,
            "reached",
        ),
        (&["list"], &[], 2, "which relay"),
        (&["list"], &["--data-dir", &nowhere], 6, "no data of"),
        (&["list", "--owner", "ann"], &own, 2, "--owner"),
    ] {
        let (got, _, said) = tunnels(words, way);
        assert_eq!(got, code, "{words:?} {way:?} {said}");
        assert!(said.contains(word), "{words:?} {said}");
    }
    assert!(!std::path::Path::new(&nowhere).exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_column_of_a_list_says_what_its_heading_promises() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (mut agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &[])
        .await;
    let (at, dir) = (relay.url(), stage.relay_dir());
    let own = ["--relay", &at, "--token", &token];
    let folder = ["--data-dir", &dir];
    let list = |way: &[&str]| {
        let json = stage.succeed(&[&["tunnels", "list", "--json"], way].concat());
        let object: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
        // Listed after the object, so it contains at least as much.
        let table = stage.succeed(&[&["tunnels", "list"], way].concat());
        (table, object)
    };
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();

    for way in [&own[..], &folder] {
        // With the data folder, the command sees an agent a moment later.
        let connected = || Some(list(way)).filter(|(_, object)| object["connected"].is_object());
        let (table, object) = eventually("the agent", connected, || list(way).0).await;
        let mut lines = table.lines();
        let headings = lines.next().unwrap();
        for heading in ["NAME", "URL", "WAITING", "LAST EVENT", "AGENT"] {
            assert!(headings.contains(heading), "{table}");
        }
        assert_eq!(headings.contains("OWNER"), way == folder, "{table}");
        let row = lines.next().unwrap();
        for words in ["crm", &url, "none", "never", "connected since", "127.0.0.1"] {
            assert!(row.contains(words), "{words}: {table}");
        }
        assert!(row.contains(&format!("on {host}")), "{table}");
        let agent = &object["connected"];
        assert_eq!(
            (&agent["host"], &agent["peer"]),
            (&host.as_str().into(), &"127.0.0.1".into())
        );
        assert!(agent["since"].is_string(), "{object}");
        assert_eq!(object["last_event_at"], serde_json::Value::Null);
    }

    agent.terminate();
    agent.wait_for_end().await;
    let hook = format!("{url}podio/hook");
    for _ in 0..3 {
        assert_eq!(form_post(&hook, b"type=item.create").await.status, 200);
    }
    for way in [&own[..], &folder] {
        let gone = || Some(list(way)).filter(|(_, object)| object["connected"].is_null());
        let (table, object) = eventually("the agent's end", gone, || list(way).0).await;
        let row = table.lines().nth(1).unwrap();
        assert!(
            row.contains("not connected") && row.contains("3 ("),
            "{table}"
        );
        assert!(
            row.contains("since 20") && !row.contains("never"),
            "{table}"
        );
        assert_eq!(object["waiting_events"], 3);
        assert!(
            object["waiting_bytes"].as_u64().unwrap() > 3 * 16,
            "{object}"
        );
        assert!(object["last_event_at"].is_string() && object["oldest_waiting_at"].is_string());
        assert_eq!(object["url"], url.as_str());
    }
}
