//! `podtap events`, `show` and `replay`, with and without a running agent.

use crate::support::{GoneService, Service, Stage, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn the_history_is_read_and_replayed_with_and_without_a_running_agent() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, mut agent, url) = stage.way_to(&service, &[]).await;
    let first = b"type=item.create&item_id=4711&item_revision_id=0&hook_id=1";
    let second = b"type=comment.create&item_id=4698&comment_id=9&hook_id=2";
    for body in [&first[..], second] {
        assert_eq!(
            form_post(&format!("{url}podio/hook"), body).await.status,
            200
        );
    }
    service.wait_for(2).await;
    agent
        .object("attempt", |attempt| attempt["status"] == 200)
        .await;

    let events = stage.wait_until_settled(&[], 2);
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["event"], "item.create");
    assert_eq!(events[0]["params"]["item_id"], "4711");
    assert_eq!(stage.events(&["type:comment.*"]).len(), 1);
    assert_eq!(stage.events(&["-type:comment.*", "item:4711"]).len(), 1);

    let id = events[0]["id"].as_str().unwrap();
    let show =
        |options: &[&str]| stage.succeed(&[&["show", id, "--name", "crm"], options].concat());
    assert_eq!(show(&["--raw"]).as_bytes(), first);
    assert!(show(&[]).contains("item 4711"), "{}", show(&[]));
    assert!(
        show(&["--curl"]).contains("--data-raw"),
        "{}",
        show(&["--curl"])
    );
    let whole: serde_json::Value = serde_json::from_str(&show(&["--json"])).unwrap();
    assert_eq!(whole["attempts"][0]["status"], 200);

    let replayed = stage.succeed(&[
        "replay",
        id,
        "--name",
        "crm",
        "--json",
        "--to",
        &service.address().to_string(),
    ]);
    let attempt: serde_json::Value = serde_json::from_str(replayed.trim()).unwrap();
    assert_eq!(
        (&attempt["replay"], &attempt["attempt"]),
        (&true.into(), &2.into())
    );
    let received = service.wait_for(3).await;
    assert_eq!(received[2].body, &first[..]);
    assert_eq!(received[2].header("podtap-replay"), [&b"true"[..]]);
    assert_eq!(received[2].header("podtap-attempt"), [&b"2"[..]]);
    agent
        .object("attempt", |attempt| attempt["replay"] == true)
        .await;

    agent.terminate();
    agent.wait_for_end().await;
    let to = service.address().to_string();
    stage.succeed(&[
        "replay",
        "--filter",
        "type:comment.*",
        "--name",
        "crm",
        "--to",
        &to,
    ]);
    let received = service.wait_for(4).await;
    assert_eq!(received[3].body, &second[..]);
    assert_eq!(
        stage.events(&["type:comment.*"])[0]["attempts"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_that_cannot_be_delivered_says_so_with_its_exit_code() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    stage.wait_until_settled(&[], 1);
    let gone = GoneService::new();
    let address = gone.address().to_string();

    let (code, _, stderr) = stage.run(&[
        "replay", "--filter", "item:1", "--name", "crm", "--to", &address,
    ]);
    assert_eq!(code, 5, "{stderr}");
    assert!(stderr.contains("refused"), "{stderr}");

    let (code, _, stderr) = stage.run(&["show", "01ZZ", "--name", "crm"]);
    assert_eq!(code, 6, "{stderr}");
    let (code, _, stderr) = stage.run(&["events", "--name", "crm", "type:"]);
    assert_eq!(code, 2, "{stderr}");
    let (code, _, stderr) = stage.run(&["events", "--name", "never-used"]);
    assert_eq!(code, 6, "{stderr}");
    assert!(stderr.contains("never-used"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_replay_sends_what_the_editor_left() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    form_post(&format!("{url}hook"), b"type=item.update&item_id=1").await;
    service.wait_for(1).await;
    let to = service.address().to_string();
    let args = ["replay", "--edit", "--name", "crm", "--to", &to];
    let events = stage.wait_until_settled(&[], 1);
    let id = events[0]["id"].as_str().unwrap();

    let mut command = crate::support::command(&stage, &[&args[..], &[id]].concat());
    let edited = command
        .env("EDITOR", "sed -i s/item_id=1/item_id=42/")
        .output()
        .unwrap();

    assert!(edited.status.success(), "{edited:?}");
    let received = service.wait_for(2).await;
    assert_eq!(received[1].body, &b"type=item.update&item_id=42"[..]);
    assert_eq!(received[1].path, "/hook");
    assert_eq!(
        stage.events(&[])[0]["params"]["item_id"],
        "1",
        "the event itself stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_several_is_shown_first_and_counted_at_the_end() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    for item in 1..=3 {
        form_post(
            &format!("{url}hook"),
            format!("type=item.update&item_id={item}").as_bytes(),
        )
        .await;
    }
    stage.wait_until_settled(&[], 3);
    let to = service.address().to_string();
    let all = [
        "replay",
        "--filter",
        "type:item.*",
        "--name",
        "crm",
        "--to",
        &to,
    ];

    let (code, stdout, stderr) = stage.run(&[&all[..], &["--dry-run"]].concat());
    assert_eq!((code, stdout.lines().count()), (0, 3), "{stdout}{stderr}");
    assert!(
        stdout.contains(&format!("POST http://{to}/hook")),
        "{stdout}"
    );
    assert_eq!(service.requests().len(), 3);

    let (code, _, stderr) = stage.run(&[&all[..], &["--rate", "50"]].concat());
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("3 of 3 sent: 3 answered 200"), "{stderr}");
    assert_eq!(service.requests().len(), 6);

    let id = stage.events(&[])[0]["id"].as_str().unwrap().to_owned();
    let mut unchanged = crate::support::command(
        &stage,
        &["replay", "--edit", "--name", "crm", "--to", &to, &id],
    );
    let unchanged = unchanged.env("EDITOR", "true").output().unwrap();
    let stderr = String::from_utf8(unchanged.stderr).unwrap();
    assert!(stderr.contains("nothing was sent"), "{stderr}");
    assert_eq!(service.requests().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_middle_of_text_without_spaces_is_found() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    for title in [
        "中国人民解放军",
        "台北市中山區營造股份",
        "大韓民國",
        "plain",
    ] {
        let body = format!("type=item.update&item_id=1&title={title}&status=open");
        form_post(&format!("{url}hook"), body.as_bytes()).await;
    }
    service.wait_for(4).await;

    for (filter, found) in [
        ("人民", 1),
        ("營造", 1),
        ("民國", 1),
        ("中国", 1),
        ("国人民解", 1),
        ("軍人", 0),
        ("中", 2),
        ("plain", 1),
        ("title:*人民*", 1),
        ("param.status:open", 4),
        ("param.status:shut", 0),
    ] {
        crate::support::eventually(
            filter,
            || {
                let (_, stdout, _) = stage.run(&["events", "--json", "--name", "crm", filter]);
                (stdout.lines().count() == found).then_some(())
            },
            || stage.run(&["events", "--name", "crm", filter]).1,
        )
        .await;
    }
}

/// Failures with the same cause share a line; its fingerprint finds and replays them.
#[tokio::test(flavor = "multi_thread")]
async fn failures_are_grouped_by_their_fault_and_replayed_by_it() {
    let stage = Stage::new();
    let is_mended = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mended = std::sync::Arc::clone(&is_mended);
    let service = Service::answering(move |request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let item = body.split("item_id=").nth(1).unwrap_or_default();
        let item = item.split('&').next().unwrap_or_default();
        let (status, text) = match () {
            () if mended.load(std::sync::atomic::Ordering::Relaxed) => (200, "ok".to_owned()),
            () if body.contains("comment") => (404, "no route".to_owned()),
            () => (500, format!("KeyError: 'title' of item {item}\nmore")),
        };
        let answer = http::Response::builder().status(status);
        answer.body(http_body_util::Full::from(text)).unwrap()
    })
    .await;
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;
    for item in [4711, 5, 99] {
        let form = format!("type=item.update&item_id={item}&item_revision_id=1");
        form_post(&url, form.as_bytes()).await;
    }
    form_post(&url, b"type=comment.create&item_id=7&comment_id=1").await;
    stage.wait_until_settled(&[], 4);

    let group = |more: &[&str]| {
        let args = [&["events", "--group", "--json", "--name", "crm"], more].concat();
        let text = stage.succeed(&args);
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect::<Vec<serde_json::Value>>()
    };
    let groups = group(&[]);
    assert_eq!(groups.len(), 2, "{groups:#?}");
    let of = |status: u16| {
        groups
            .iter()
            .find(|group| group["status"] == status)
            .unwrap()
    };
    assert_eq!(
        (&of(500)["events"], &of(500)["objects"]),
        (&3.into(), &3.into())
    );
    assert!(
        of(500)["line"]
            .as_str()
            .unwrap()
            .starts_with("KeyError: 'title'")
    );
    assert_eq!(of(404)["reason"], "it has no such path");
    assert_eq!(group(&["type:comment.*"]).len(), 1);
    let table = stage.succeed(&["events", "--group", "--name", "crm"]);
    assert!(table.contains("the handler failed"), "{table}");

    let fault = format!("failure:{}", of(500)["fingerprint"].as_str().unwrap());
    assert_eq!(stage.events(&[&fault]).len(), 3);
    assert_eq!(stage.events(&["failure:yes"]).len(), 4);
    assert_eq!(stage.events(&["failure:no"]).len(), 0);
    is_mended.store(true, std::sync::atomic::Ordering::Relaxed);
    let replay = ["replay", "--filter", &fault, "--json", "--name", "crm"];
    let told = stage.succeed(&replay);
    for line in told.lines() {
        let attempt: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(attempt["compared"]["status_before"], 500, "{attempt}");
        assert_eq!(attempt["compared"]["other_body"], true, "{attempt}");
    }
    assert_eq!(told.lines().count(), 3, "{told}");
    let (code, _, stderr) = stage.run(&["replay", "--filter", "comment_id:1", "--name", "crm"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("attempt 1 was 404, another body"),
        "{stderr}"
    );
    let (_, _, stderr) = stage.run(&["events", "--group", "--name", "crm"]);
    assert!(stderr.contains("no event that matches failed"), "{stderr}");
    assert_eq!(stage.events(&[&fault]).len(), 0);
}
