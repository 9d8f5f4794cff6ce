//! Tests the life of hooks: created, verified, fired, disabled, deleted; and that the
//! sandbox's webhooks are like Podio's.

use http::Method;
use podtap_podio::client::{
    Client, Error, HookStatus, PodioClientConfig as ClientConfig, WriteOptions,
};
use podtap_podio::{EventKind, EventType, RefType};
use secrecy::SecretString;
use serde_json::json;

use crate::support::{Receiver, RunningSandbox, app};
use podtap_testing::calls::{ORDERS, SPACE};

#[tokio::test]
async fn a_hook_is_inactive_until_its_code_is_validated_and_then_fires() {
    let sandbox = RunningSandbox::new().await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    let url = format!("{}/KEY/hook.php?env=dev&x=a%20b", receiver.url);

    let hook_id = client
        .create_hook(RefType::App, ORDERS, &url, EventType::ItemCreate)
        .await
        .unwrap();
    let verify = receiver.next().await;
    assert_eq!(verify.event.kind, EventKind::Known(EventType::HookVerify));
    assert_eq!(verify.event.hook_id, Some(hook_id));
    let hooks = client.hooks(RefType::App, ORDERS).await.unwrap();
    assert_eq!(
        (hooks[0].hook_id, hooks[0].status),
        (hook_id, HookStatus::Inactive)
    );
    assert_eq!(hooks[0].created_by.as_ref().unwrap().name, "Ada Holm");
    let fields = json!({ "title": "before" });
    let options = WriteOptions::default();
    client.create_item(ORDERS, &fields, options).await.unwrap();

    let code = verify.event.code().unwrap();
    client.validate_hook(hook_id, code).await.unwrap();
    let item_id = client.create_item(ORDERS, &fields, options).await.unwrap();

    let created = receiver.next().await;
    assert_eq!(created.path_and_query, "/KEY/hook.php");
    assert_eq!(created.content_type, "application/x-www-form-urlencoded");
    assert_eq!(created.event.kind, EventKind::Known(EventType::ItemCreate));
    assert_eq!(created.event.object().unwrap().id, item_id);
    assert_eq!(created.event.revision(), Some(0));
    assert_eq!(created.event.param("env"), Some("dev"));
    assert_eq!(created.event.param("x"), Some("a b"));
    let hooks = client.hooks(RefType::App, ORDERS).await.unwrap();
    assert_eq!(hooks[0].status, HookStatus::Active);
}

#[tokio::test]
async fn validating_works_without_credentials_and_a_wrong_code_is_refused() {
    let sandbox = RunningSandbox::new().await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    let stranger = Client::new(ClientConfig {
        base_url: sandbox.base_url.clone(),
        ..ClientConfig::default()
    })
    .unwrap();
    let hook_id = client
        .create_hook(RefType::App, ORDERS, &receiver.url, EventType::ItemCreate)
        .await
        .unwrap();
    let code = receiver.next().await.event.code().unwrap().to_owned();

    for (hook_id, code) in [(hook_id, "abc"), (1, code.as_str())] {
        let error = stranger.validate_hook(hook_id, code).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().status, 400);
    }
    client.request_hook_verification(hook_id).await.unwrap();
    let second = receiver.next().await.event.code().unwrap().to_owned();
    assert_ne!(code, second);

    stranger.validate_hook(hook_id, &second).await.unwrap();
    let mut config = sandbox.config(app());
    config.credentials.as_mut().unwrap().client_secret = SecretString::from("wrong");
    let mistaken = Client::new(config).unwrap();
    mistaken.validate_hook(hook_id, &code).await.unwrap();
    let error = stranger.hooks(RefType::App, ORDERS).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn hook_false_in_the_query_suppresses_events_and_silent_does_not() {
    let sandbox = RunningSandbox::new().await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    let quiet = WriteOptions {
        hook: false,
        silent: false,
    };
    let silent = WriteOptions {
        hook: true,
        silent: true,
    };
    let fields = json!({ "title": "first" });
    let item_id = client.create_item(ORDERS, &fields, quiet).await.unwrap();
    receiver
        .active_hook(&client, RefType::App, ORDERS, EventType::ItemUpdate)
        .await;

    for (title, options) in [("second", quiet), ("third", silent), ("fourth", quiet)] {
        let fields = json!({ "title": title });
        client
            .update_item(item_id, &fields, None, options)
            .await
            .unwrap();
    }
    // In the body, the switch has no effect.
    let body = json!({ "fields": { "title": "fifth" }, "hook": false });
    sandbox
        .call(Method::PUT, &format!("/item/{item_id}"), &body)
        .await;

    assert_eq!(receiver.next().await.event.revision(), Some(2));
    assert_eq!(receiver.next().await.event.revision(), Some(4));
    assert!(receiver.nothing_more());
}

#[tokio::test]
async fn a_field_hook_fires_for_its_field_alone() {
    let sandbox = RunningSandbox::new().await;
    let mut receiver = Receiver::start().await;
    let client = sandbox.user();
    let app = client.app(ORDERS).await.unwrap();
    let status = app
        .fields
        .iter()
        .find(|f| f.external_id == "status")
        .unwrap();
    receiver
        .active_hook(
            &client,
            RefType::AppField,
            status.field_id,
            EventType::ItemUpdate,
        )
        .await;
    let options = WriteOptions::default();
    let fields = json!({ "title": "A", "status": "New" });
    let item_id = client.create_item(ORDERS, &fields, options).await.unwrap();

    for fields in [json!({ "title": "B" }), json!({ "status": "Paid" })] {
        client
            .update_item(item_id, &fields, None, options)
            .await
            .unwrap();
    }

    assert_eq!(receiver.next().await.event.revision(), Some(2));
    assert!(receiver.nothing_more());
}

#[tokio::test]
async fn what_podio_does_not_take_is_refused_in_its_words() {
    let sandbox = RunningSandbox::with(|config| config.enforce_ports = true).await;
    let path = format!("/hook/app/{ORDERS}/");
    let good = "https://example.com/hook";
    for (body, words) in [
        (
            json!({ "url": good, "type": "item.moved" }),
            "must be one of {item.create, ",
        ),
        (
            json!({ "url": good, "type": "task.create" }),
            "must be one of {",
        ),
        (json!({ "type": "item.create" }), "Missing parameter url"),
        (
            json!({ "url": 5, "type": "item.create" }),
            "Invalid value 5 (integer): must be string",
        ),
        (
            json!({ "url": "here", "type": "item.create" }),
            "must be a URL",
        ),
        (
            json!({ "url": "http://example.com:8080/", "type": "item.create" }),
            "port 80 or 443",
        ),
    ] {
        let (status, answer) = sandbox.call(Method::POST, &path, &body).await;
        assert_eq!(
            (status, &answer["error"]),
            (400, &json!("invalid_value")),
            "{body}"
        );
        let description = answer["error_description"].as_str().unwrap();
        assert!(description.contains(words), "{description}");
        assert_eq!(answer["request"]["method"], "POST");
        assert_eq!(answer["error_propagate"], false);
    }
    let client = sandbox.user();
    let field = client.app(ORDERS).await.unwrap().fields[0].field_id;
    for (ref_type, ref_id, event) in [
        (RefType::AppField, field, EventType::ItemCreate),
        (RefType::AppField, field, EventType::ItemDelete),
        (RefType::Space, SPACE, EventType::TaskDelete),
    ] {
        let refused = client.create_hook(ref_type, ref_id, good, event).await;
        assert_eq!(refused.unwrap_err().refusal().unwrap().status, 400);
    }
    for _ in 0..10 {
        let made = client.create_hook(RefType::App, ORDERS, good, EventType::ItemCreate);
        made.await.unwrap();
    }
    let eleventh = client.create_hook(RefType::App, ORDERS, good, EventType::ItemCreate);
    assert_eq!(eleventh.await.unwrap_err().refusal().unwrap().status, 400);
}

#[tokio::test]
async fn deleting_twice_succeeds_but_an_app_may_not_delete_what_a_person_made() {
    let sandbox = RunningSandbox::new().await;
    let receiver = Receiver::start().await;
    let (person, orders) = (sandbox.user(), sandbox.client(app()));
    let create = |client: Client| {
        let url = receiver.url.clone();
        async move {
            client
                .create_hook(RefType::App, ORDERS, &url, EventType::ItemCreate)
                .await
                .unwrap()
        }
    };
    let (of_person, of_app) = (create(person.clone()).await, create(orders.clone()).await);

    let refused = orders.delete_hook(of_person).await.unwrap_err();
    assert_eq!(refused.refusal().unwrap().status, 403);
    orders.delete_hook(of_app).await.unwrap();
    person.delete_hook(of_person).await.unwrap();
    person.delete_hook(of_person).await.unwrap();

    assert!(person.hooks(RefType::App, ORDERS).await.unwrap().is_empty());
}
