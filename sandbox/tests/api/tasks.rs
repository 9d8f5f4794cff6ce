//! Tests tasks.

use http::Method;
use podtap_podio::{EventType, RefType};
use serde_json::{Value, json};

use crate::support::RunningSandbox;
use podtap_testing::calls::{ORDERS, SPACE};

#[tokio::test]
async fn a_task_answers_as_the_clients_expect() {
    let sandbox = RunningSandbox::new().await;
    let status = sandbox
        .post(&format!("/status/space/{SPACE}/"), json!({ "value": "s" }))
        .await["status_id"]
        .clone();
    let item = sandbox.order(json!({ "title": "x" })).await;
    for on in [
        format!("item/{item}"),
        format!("status/{status}"),
        format!("app/{ORDERS}"),
        format!("space/{SPACE}"),
        "conversation/77".to_owned(),
    ] {
        sandbox
            .post(&format!("/task/{on}/"), json!({ "text": on }))
            .await;
    }
    let body = json!({ "text": "Call", "due_on": "2026-12-01 09:30:00", "responsible": 8_123_457, "labels": ["phone"], "ref_type": "item", "ref_id": item });
    let task = sandbox.post("/task/", body).await;
    let id = task["task_id"].clone();
    assert_eq!(
        (&task["due_date"], &task["due_time"]),
        (&json!("2026-12-01"), &json!("09:30:00"))
    );
    assert_eq!(task["responsible"]["name"], "Björn Lind");

    let changed = sandbox
        .put_json(&format!("/task/{id}"), json!({ "text": "Ring" }))
        .await;
    assert_eq!(
        (&changed["text"], &changed["due_date"]),
        (&json!("Ring"), &json!("2026-12-01"))
    );
    sandbox
        .put_json(
            &format!("/task/{id}/description"),
            json!({ "description": "soon" }),
        )
        .await;
    sandbox
        .put_json(&format!("/task/{id}/label/"), json!(["phone", "today"]))
        .await;
    sandbox
        .post(
            &format!("/task/{id}/assign"),
            json!({ "responsible": 8_123_458 }),
        )
        .await;
    sandbox
        .post(&format!("/task/{id}/complete"), json!({}))
        .await;

    let done = sandbox.get(&format!("/task/{id}")).await;
    assert_eq!(done["description"], "soon");
    assert_eq!(done["completed_by"]["name"], "Ada Holm");
    assert_eq!(done["labels"][1]["text"], "today");
    assert_eq!(sandbox.get("/task/?completed=true").await[0]["task_id"], id);
    assert_eq!(
        sandbox
            .get("/task/?responsible=8123458&limit=5")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        sandbox
            .get(&format!("/task/item/{item}/"))
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(sandbox.get("/task/total").await["own"]["total"], 5);
    assert_eq!(sandbox.get("/task/label/").await[0]["text"], "phone");
}

#[tokio::test]
async fn a_task_for_several_people_is_one_for_each() {
    let sandbox = RunningSandbox::new().await;
    let (_, mut receiver) = sandbox
        .with_hook(RefType::Space, SPACE, EventType::TaskCreate)
        .await;
    let people = json!([8_123_456, { "type": "mail", "id": "bjorn@example.com" }]);
    let task =
        json!({ "text": "Clean up", "responsible": people, "ref_type": "space", "ref_id": SPACE });

    let made = sandbox.post("/task/", task).await;

    let names = (
        &made[0]["responsible"]["name"],
        &made[1]["responsible"]["name"],
    );
    assert_eq!(names, (&json!("Ada Holm"), &json!("Björn Lind")));
    for task in made.as_array().unwrap() {
        assert_eq!(
            receiver.next().await.event.id("task_id"),
            task["task_id"].as_u64()
        );
    }
    let external = json!({ "text": "x", "responsible": { "type": "external", "id": "x" } });
    let refused = sandbox
        .expect_refusal(Method::POST, "/task/", external)
        .await;
    assert_eq!(refused.0, 501, "{}", refused.1);
}

#[tokio::test]
async fn a_task_is_hung_elsewhere_listed_by_that_and_summed_up() {
    let sandbox = RunningSandbox::new().await;
    let item = sandbox.order(json!({ "title": "x" })).await;
    let late = json!({ "text": "Late", "due_date": "2020-01-01", "labels": ["phone"] });
    let task = sandbox.post("/task/", late).await["task_id"].clone();
    let on = json!({ "ref_type": "item", "ref_id": item });
    sandbox.put_json(&format!("/task/{task}/ref"), on).await;

    let listed = sandbox
        .get(&format!("/task/?reference=item:{item}&label=phone"))
        .await;
    assert_eq!(listed[0]["task_id"], task);
    for place in [
        "summary",
        &format!("space/{SPACE}/summary"),
        &format!("reference/item/{item}/summary"),
    ] {
        let summary = sandbox.get(&format!("/task/{place}")).await;
        assert_eq!(summary["overdue"]["total"], 1, "{place}: {summary}");
        assert_eq!(summary["other"]["total"], 0, "{place}: {summary}");
    }
    sandbox.delete(&format!("/task/{task}/ref")).await;
    assert_eq!(
        sandbox.get(&format!("/task/{task}")).await["ref"],
        Value::Null
    );
}
