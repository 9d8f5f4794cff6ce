//! Tests items: dates, authors, filters, and how they are found.

use http::Method;
use serde_json::{Value, json};

use crate::support::{CUSTOMERS, RunningSandbox};
use podtap_testing::calls::ORDERS;

#[tokio::test]
async fn a_date_reads_back_in_every_form_that_clients_read() {
    let sandbox = RunningSandbox::new().await;
    let item = sandbox
        .order(json!({ "due": { "start": "2026-11-23 14:30:00", "end": "2026-11-24" } }))
        .await;

    let value = sandbox.get(&format!("/item/{item}/value/due")).await[0].clone();

    for (part, wanted) in [
        ("start", "2026-11-23 14:30:00"),
        ("start_date", "2026-11-23"),
        ("start_time_utc", "14:30:00"),
        ("start_utc", "2026-11-23 14:30:00"),
        ("end", "2026-11-24 00:00:00"),
        ("end_date_utc", "2026-11-24"),
    ] {
        assert_eq!(value[part], wanted, "{part}: {value}");
    }
    assert_eq!(value["end_time"], Value::Null);
}

#[tokio::test]
async fn each_client_signs_its_changes_with_its_own_number() {
    let sandbox = RunningSandbox::new().await;
    let item = sandbox.order(json!({ "title": "x" })).await;
    let by_podtap = sandbox.get(&format!("/item/{item}")).await["created_via"].clone();
    let planted = sandbox
        .get(&format!("/item/app/{ORDERS}/?sort_desc=false"))
        .await;

    assert_eq!(by_podtap["name"], "Podtap");
    assert!(
        by_podtap["auth_client_id"].as_u64().unwrap() > 1_000,
        "{by_podtap}"
    );
    assert_eq!(by_podtap["id"], by_podtap["auth_client_id"]);
    assert_eq!(planted["items"][0]["created_via"]["auth_client_id"], 1);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of filters")]
async fn items_are_filtered_by_field_and_by_their_making_and_never_unfiltered() {
    let sandbox = RunningSandbox::new().await;
    let day = |day: &str| json!({ "start": day });
    let desk = sandbox.order(json!({ "title": "Walnut desk", "status": "Paid", "amount": { "value": 900, "currency": "EUR" }, "due": day("2031-02-01") })).await;
    let shelf = sandbox.order(json!({ "title": "Shelf", "status": "Paid", "amount": { "value": 90, "currency": "EUR" }, "due": day("2031-03-01") })).await;
    let customer = sandbox.get(&format!("/item/app/{CUSTOMERS}/")).await["items"][0]["item_id"]
        .as_u64()
        .unwrap();
    let fields = json!({ "fields": { "customer": customer, "title": "Old desk" }, "external_id": "o 1", "tags": ["urgent"] });
    let old = sandbox.post(&format!("/item/app/{ORDERS}/"), fields).await["item_id"]
        .as_u64()
        .unwrap();
    let path = format!("/item/app/{ORDERS}/filter/");
    let status = sandbox.get(&format!("/app/{ORDERS}")).await["fields"][1]["field_id"].clone();

    for (filters, found) in [
        (json!({ "status": [5] }), vec![shelf, desk]),
        (json!({ status.to_string(): ["Paid"] }), vec![shelf, desk]),
        (
            json!([{ "key": "status", "values": [5] }]),
            vec![shelf, desk],
        ),
        (json!({ "title": "DESK" }), vec![old, desk]),
        (
            json!({ "amount": { "from": 100, "to": 1_000 }, "status": [5] }),
            vec![desk],
        ),
        (
            json!({ "due": { "from": "2031-02-15", "to": "2031-03-01" } }),
            vec![shelf],
        ),
        (json!({ "customer": [customer] }), vec![old]),
        (json!({ "external_id": "o 1" }), vec![old]),
        (json!({ "tags": ["urgent"] }), vec![old]),
        (json!({ "status": null, "title": "Old desk" }), vec![old]),
        (
            json!({ "created_on": { "from": "2026-01-01", "to": "2026-01-02" } }),
            vec![],
        ),
        (
            json!({ "last_edit_on": { "from": "2020-01-01 00:00:00" }, "title": "desk" }),
            vec![old, desk],
        ),
        (
            json!({ "created_by": [{ "type": "user", "id": 8_123_456 }], "title": "desk" }),
            vec![old, desk],
        ),
        (
            json!({ "created_on": { "from": "-1d", "to": "1d" }, "title": "desk" }),
            vec![old, desk],
        ),
        (
            json!({ "created_on": { "to": "-1d" }, "title": "desk" }),
            vec![],
        ),
        (
            json!({ "due": { "from": "1yr", "to": "9yr" } }),
            vec![shelf, desk],
        ),
        (json!({ "created_by": ["app:1"] }), vec![]),
        (json!({ "created_via": [1], "title": "desk" }), vec![]),
    ] {
        let body = json!({ "filters": filters, "limit": 50 });
        let answer = sandbox.post(&path, body).await;
        let ids: Vec<_> = answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["item_id"].as_u64().unwrap())
            .collect();
        assert_eq!(ids, found, "{filters}");
        assert_eq!(answer["filtered"], found.len(), "{filters}");
        assert_eq!(answer["total"], 6);
    }
    for (body, status) in [
        (json!({ "filters": { "colour": [1] } }), 400),
        (json!({ "filters": { "created_on": "2026" } }), 400),
        (json!({ "filters": { "amount": { "above": 3 } } }), 501),
        (json!({ "filters": 7 }), 400),
        (json!({ "limit": 501 }), 400),
        (json!({ "sort_by": "colour" }), 400),
        (json!({ "view_id": 4 }), 404),
        (json!({ "sort_by": "priority" }), 501),
    ] {
        let (answered, answer) = sandbox.call(Method::POST, &path, &body).await;
        assert_eq!(answered, status, "{body}: {answer}");
    }
    let listed = sandbox
        .get(&format!("/item/app/{ORDERS}/?status=5&limit=1&offset=1"))
        .await;
    assert_eq!(listed["items"][0]["item_id"], desk);
    let (refused, _) = sandbox
        .call(
            Method::GET,
            &format!("/item/app/{ORDERS}/?colour=5"),
            &json!({}),
        )
        .await;
    assert_eq!(refused, 400);
}

#[tokio::test]
async fn an_item_is_found_by_its_number_and_its_external_id_and_counted() {
    let sandbox = RunningSandbox::new().await;
    let customer =
        sandbox.get(&format!("/item/app/{CUSTOMERS}/")).await["items"][0]["item_id"].clone();
    let body = json!({ "fields": { "title": "x", "customer": customer }, "external_id": "a/b 1" });
    let made = sandbox.post(&format!("/item/app/{ORDERS}/"), body).await;
    let id = &made["item_id"];

    let number = made["app_item_id"].to_string();
    assert_eq!(
        sandbox.get(&format!("/app/{ORDERS}/item/{number}")).await["item_id"],
        *id
    );
    let external = sandbox
        .get(&format!("/item/app/{ORDERS}/external_id/a%2Fb%201"))
        .await;
    assert_eq!(external["item_id"], *id);
    let listed = sandbox
        .get(&format!("/item/app/{ORDERS}/v2/?external_id=a%2Fb%201"))
        .await;
    assert_eq!(listed["filtered"], 1);
    assert_eq!(
        sandbox.get(&format!("/item/app/{ORDERS}/count")).await["count"],
        4
    );
    let references = sandbox.get(&format!("/item/{customer}/reference/")).await;
    assert_eq!(references[0]["app"]["app_id"], ORDERS);
    assert_eq!(references[0]["items"][0]["item_id"], *id);

    let ids = json!({ "item_ids": [id, 1] });
    let gone = sandbox
        .post(&format!("/item/app/{ORDERS}/delete"), ids)
        .await;
    assert_eq!(gone, json!({ "deleted": [id], "pending": [] }));
    assert_eq!(sandbox.get("/batch/").await, json!([]));
    let (status, _) = sandbox
        .call(Method::GET, &format!("/item/{id}"), &json!({}))
        .await;
    assert_eq!(status, 404);
}
