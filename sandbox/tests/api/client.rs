//! Tests the client against the sandbox: reading, limits, faults.

use std::time::Duration;

use http::Method;
use podtap_podio::client::{
    Client, Error, PodioClientConfig as ClientConfig, RateLimit, RevisionKind, WriteOptions,
};
use podtap_podio::wording::{self, Locale, WordedField};
use podtap_sandbox::{CallRates, Fault};
use serde_json::json;

use crate::support::{CUSTOMERS, RunningSandbox, app, password};
use podtap_testing::calls::{ORDERS, SPACE};

#[tokio::test]
async fn an_app_reaches_itself_alone_and_a_person_everything() {
    let sandbox = RunningSandbox::new().await;
    let (orders, person) = (sandbox.client(app()), sandbox.user());

    assert_eq!(orders.scopes().await.unwrap()[0].ref_id, Some(ORDERS));
    assert_eq!(orders.app(ORDERS).await.unwrap().config.name, "Orders");
    let foreign = orders.app(CUSTOMERS).await.unwrap_err();
    assert_eq!(foreign.refusal().unwrap().status, 403);
    assert_eq!(person.app(CUSTOMERS).await.unwrap().space_id, Some(SPACE));
    assert_eq!(person.space(SPACE).await.unwrap().name, "Workshop");

    assert_eq!(
        orders.item(1).await.unwrap_err().refusal().unwrap().status,
        403
    );
    assert!(matches!(person.item(1).await, Err(Error::Gone { .. })));
}

#[tokio::test]
async fn what_a_revision_changed_is_told_field_by_field() {
    let sandbox = RunningSandbox::new().await;
    let client = sandbox.user();
    let options = WriteOptions::default();
    let fields = json!({ "title": "40 oak frames", "status": "New", "amount": { "value": 12, "currency": "EUR" } });
    let item_id = client.create_item(ORDERS, &fields, options).await.unwrap();
    let fields = json!({ "status": 3, "notes": "<p>Second <b>coat</b></p>", "amount": null });
    let new = client
        .update_item(item_id, &fields, Some(0), options)
        .await
        .unwrap();
    assert_eq!(
        (new.revision, new.title.as_deref()),
        (1, Some("40 oak frames"))
    );

    let changes = client.item_difference(item_id, 0, 1).await.unwrap();
    let told: Vec<_> = changes
        .iter()
        .map(|change| {
            let field = WordedField {
                kind: &change.kind,
                settings: &change.config.settings,
            };
            let told = wording::change(field, &change.from, &change.to, Locale::NONE);
            let (old, new) = told.unwrap();
            format!("{}: {old} → {new}", change.label)
        })
        .collect();
    assert_eq!(
        told,
        [
            "Status: New → In production",
            "Amount: 12.00 EUR → ",
            "Notes:  → Second coat"
        ]
    );

    let revision = client.item_revision(item_id, 1).await.unwrap();
    assert_eq!(revision.kind, RevisionKind::Update);
    assert_eq!(revision.created_by.unwrap().name, "Ada Holm");
    assert_eq!(revision.created_via.unwrap().name, "Podtap");
    assert_eq!(client.item_revisions(item_id).await.unwrap().len(), 2);
    assert_eq!(client.item(item_id).await.unwrap().revision, Some(1));

    let stale = client
        .update_item(item_id, &json!({}), Some(0), options)
        .await;
    assert_eq!(stale.unwrap_err().refusal().unwrap().status, 409);
}

#[tokio::test]
async fn secrets_in_podios_answers_are_not_read() {
    let sandbox = RunningSandbox::new().await;
    let (_, answer) = sandbox
        .call(Method::GET, &format!("/app/{ORDERS}"), &json!({}))
        .await;
    assert_eq!(answer["token"], "sandbox-orders-token");
    let app = sandbox.user().app(ORDERS).await.unwrap();
    let read = format!("{app:?}");
    assert!(!read.contains("sandbox-orders-token") && !read.contains("mailbox"));
}

#[tokio::test]
async fn comments_tasks_and_files_can_be_looked_up() {
    let sandbox = RunningSandbox::new().await;
    let client = sandbox.user();
    let options = WriteOptions::default();
    let item_id = client
        .create_item(ORDERS, &json!({ "title": "x" }), options)
        .await
        .unwrap();
    let post = async |path: String, body: serde_json::Value, id: &str| {
        let (_, answer) = sandbox.call(Method::POST, &path, &body).await;
        answer[id].as_u64().unwrap()
    };
    let comment = post(
        format!("/comment/item/{item_id}/"),
        json!({ "value": "Looks great!" }),
        "comment_id",
    )
    .await;
    let task = post(
        format!("/task/item/{item_id}/"),
        json!({ "text": "Order hinges" }),
        "task_id",
    )
    .await;
    let file = post(
        "/file/".to_owned(),
        json!({ "filename": "drawing.pdf" }),
        "file_id",
    )
    .await;

    let comment = client.comment(comment).await.unwrap();
    assert_eq!(
        (comment.value.as_str(), comment.reference.unwrap().id),
        ("Looks great!", item_id)
    );
    assert_eq!(client.task(task).await.unwrap().text, "Order hinges");
    assert_eq!(client.file(file).await.unwrap().name, "drawing.pdf");
    let app = client.app(ORDERS).await.unwrap();
    let field = client.field(ORDERS, app.fields[1].field_id).await.unwrap();
    assert_eq!(
        (field.label.as_str(), field.kind.as_str()),
        ("Status", "category")
    );
}

#[tokio::test]
async fn the_rate_limit_is_read_and_waited_for_as_told_but_not_longer() {
    let rates = |window| CallRates {
        general: 2,
        limited: 1,
        window,
    };
    let sandbox =
        RunningSandbox::with(|config| config.rates = rates(Duration::from_hours(1))).await;
    let client = sandbox.user();
    client.scopes().await.unwrap();
    let limit = RateLimit {
        limit: 2,
        remaining: 1,
    };
    assert_eq!(client.rate_limit(), Some(limit));
    client.scopes().await.unwrap();
    let error = client.scopes().await.unwrap_err();
    let Error::RateLimited {
        retry_after: Some(wait),
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert!(wait > Duration::from_secs(3_500), "{wait:?}");
    assert_eq!(client.rate_limit().unwrap().remaining, 0);

    let sandbox = RunningSandbox::with(|config| config.rates = rates(Duration::from_secs(2))).await;
    let client = sandbox.user();
    for _ in 0..4 {
        client.scopes().await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_api_gives_typed_errors_and_works_again_afterwards() {
    let sandbox = RunningSandbox::new().await;
    let client = Client::new(ClientConfig {
        timeout: Duration::from_millis(300),
        ..sandbox.config(password())
    })
    .unwrap();
    client.scopes().await.unwrap();
    let with = async |fault| {
        sandbox.handle.set_fault(Some(fault));
        let error = client.scopes().await.unwrap_err();
        assert!(error.may_pass(), "{error}");
        error
    };

    let failed = with(Fault::Status(500)).await;
    assert_eq!(failed.refusal().unwrap().status, 500);
    assert!(matches!(with(Fault::Truncated).await, Error::Json { .. }));
    assert!(matches!(with(Fault::Hang).await, Error::Timeout { .. }));

    sandbox.handle.set_fault(None);
    client.scopes().await.unwrap();
}

#[tokio::test]
async fn a_large_answer_and_a_dead_port_are_errors_of_their_own() {
    let sandbox = RunningSandbox::new().await;
    let small = Client::new(ClientConfig {
        max_response_bytes: 600,
        ..sandbox.config(password())
    })
    .unwrap();
    let error = small.app(ORDERS).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { limit: 600, .. }),
        "{error}"
    );

    let dead = Client::new(ClientConfig {
        base_url: "http://127.0.0.1:1".parse().unwrap(),
        ..sandbox.config(password())
    })
    .unwrap();
    let error = dead.scopes().await.unwrap_err();
    assert!(
        matches!(error, Error::Transport { .. }) && error.may_pass(),
        "{error}"
    );
}
