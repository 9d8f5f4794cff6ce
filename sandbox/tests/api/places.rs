//! Tests users, organization, spaces and apps; and operations that the sandbox lacks.

use http::Method;
use podtap_podio::{EventType, RefType};
use serde_json::json;

use crate::support::{Receiver, RunningSandbox, app};
use podtap_testing::calls::{ORDERS, SPACE};

#[tokio::test]
async fn who_and_what_there_is_can_be_listed_in_parts() {
    let sandbox = RunningSandbox::new().await;

    assert_eq!(sandbox.get("/user/").await["user_id"], 8_123_456);
    assert_eq!(sandbox.get("/user/profile/").await["name"], "Ada Holm");
    let org = sandbox.get("/org/").await[0]["org_id"].clone();
    assert_eq!(
        sandbox.get(&format!("/org/{org}/space/")).await[0]["space_id"],
        SPACE
    );
    assert_eq!(
        sandbox.get(&format!("/space/org/{org}/")).await[0]["name"],
        "Workshop"
    );
    let apps = sandbox.get("/app/?limit=2").await;
    assert_eq!(apps.as_array().unwrap().len(), 2);
    let rest = sandbox.get(&format!("/app/space/{SPACE}/?offset=2")).await;
    assert_eq!(rest.as_array().unwrap().len(), 1);
    let members = sandbox
        .get(&format!("/space/{SPACE}/member/?limit=2"))
        .await;
    assert_eq!(members[1]["profile"]["name"], "Björn Lind");
    assert_eq!(sandbox.get("/contact/").await.as_array().unwrap().len(), 3);

    let app = sandbox.client(app());
    assert!(app.scopes().await.is_ok());
    for path in ["/task/?due_date=x", "/app/?order=name"] {
        let (status, answer) = sandbox.call(Method::GET, path, &json!({})).await;
        assert_eq!(status, 501, "{path}: {answer}");
    }
}

#[tokio::test]
async fn what_the_sandbox_has_not_is_said_by_name() {
    let sandbox = RunningSandbox::new().await;
    for (method, path, name) in [
        (Method::GET, "/notification/", "`GET /notification`"),
        (Method::POST, "/file/from_url/", "`POST /file/from_url`"),
        (
            Method::GET,
            "/item/app/30682880/xlsx/",
            "`GET /item/app/{id}/xlsx`",
        ),
        (Method::POST, "/task/label/", "`POST /task/label`"),
        (
            Method::GET,
            "/item/3276908608/value/v2",
            "`GET /item/{id}/value/v2`",
        ),
    ] {
        let (status, answer) = sandbox.call(method, path, &json!({})).await;
        assert_eq!(status, 501, "{path}");
        let said = answer["error_description"].as_str().unwrap();
        assert!(said.contains(name), "{said}");
    }
    let (status, answer) = sandbox.call(Method::GET, "/nonsense/1", &json!({})).await;
    assert_eq!(status, 404, "{answer}");
}

#[tokio::test]
async fn changes_of_fields_and_forms_are_heard() {
    let sandbox = RunningSandbox::new().await;
    let client = sandbox.user();
    let mut receiver = Receiver::start().await;
    for event in [EventType::AppUpdate, EventType::FormUpdate] {
        receiver
            .active_hook(&client, RefType::App, ORDERS, event)
            .await;
    }
    let new = json!({ "type": "text", "config": { "label": "Colour of oil", "settings": { "size": "large" } } });
    let field = sandbox.post(&format!("/app/{ORDERS}/field/"), new).await["field_id"].clone();
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    let path = format!("/app/{ORDERS}/field/{field}");
    let shown = sandbox.get(&path).await;
    assert_eq!(shown["external_id"], "colour-of-oil");
    assert_eq!(shown["config"]["settings"]["size"], "large");

    sandbox.put_json(&path, json!({ "label": "Oil" })).await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    assert_eq!(sandbox.get(&path).await["label"], "Oil");
    sandbox.delete(&path).await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    let (status, _) = sandbox.call(Method::GET, &path, &json!({})).await;
    assert_eq!(status, 404);

    let form = sandbox
        .post(&format!("/form/app/{ORDERS}/"), json!({ "settings": {} }))
        .await["form_id"]
        .clone();
    sandbox
        .post(&format!("/form/{form}/deactivate"), json!({}))
        .await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "form.update");
    let forms = sandbox.get(&format!("/form/app/{ORDERS}/")).await;
    assert_eq!(
        (&forms[0]["form_id"], &forms[0]["status"]),
        (&form, &json!("disabled"))
    );
    sandbox
        .post(&format!("/form/{form}/activate"), json!({}))
        .await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "form.update");
}
