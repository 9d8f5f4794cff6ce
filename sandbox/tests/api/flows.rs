//! What the official clients ask of Podio (PHP, Ruby, Python, JavaScript), asked as they do.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use podtap_podio::{EventType, RefType};
use podtap_sandbox::Config;
use serde_json::{Value, json};

use crate::calls::{ORDERS, SPACE};
use crate::support::{CUSTOMERS, Receiver, Running, app};

const NOBODY: Value = Value::Null;

async fn get(sandbox: &Running, path: &str) -> Value {
    let (status, answer) = sandbox.call(Method::GET, path, &json!({})).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

async fn send(sandbox: &Running, method: Method, path: &str, body: Value) -> Value {
    let (status, answer) = sandbox.call(method, path, &body).await;
    assert!((200..300).contains(&status), "{path}: {status} {answer}");
    answer
}

async fn order(sandbox: &Running, fields: Value) -> u64 {
    let path = format!("/item/app/{ORDERS}/");
    let body = json!({ "fields": fields });
    let item = send(sandbox, Method::POST, &path, body).await;
    item["item_id"].as_u64().unwrap()
}

#[tokio::test]
async fn a_date_reads_back_in_every_form_that_clients_read() {
    let sandbox = Running::start(Config::default()).await;
    let item = order(
        &sandbox,
        json!({ "due": { "start": "2026-11-23 14:30:00", "end": "2026-11-24" } }),
    )
    .await;

    let value = get(&sandbox, &format!("/item/{item}/value/due")).await[0].clone();

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
    assert_eq!(value["end_time"], NOBODY);
}

#[tokio::test]
async fn each_client_signs_its_changes_with_its_own_number() {
    let sandbox = Running::start(Config::default()).await;
    let item = order(&sandbox, json!({ "title": "x" })).await;
    let by_podtap = get(&sandbox, &format!("/item/{item}")).await["created_via"].clone();
    let planted = get(&sandbox, &format!("/item/app/{ORDERS}/?sort_desc=false")).await;

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
    let sandbox = Running::start(Config::default()).await;
    let day = |day: &str| json!({ "start": day });
    let desk = order(&sandbox, json!({ "title": "Walnut desk", "status": "Paid", "amount": { "value": 900, "currency": "EUR" }, "due": day("2031-02-01") })).await;
    let shelf = order(&sandbox, json!({ "title": "Shelf", "status": "Paid", "amount": { "value": 90, "currency": "EUR" }, "due": day("2031-03-01") })).await;
    let customer = get(&sandbox, &format!("/item/app/{CUSTOMERS}/")).await["items"][0]["item_id"]
        .as_u64()
        .unwrap();
    let fields = json!({ "fields": { "customer": customer, "title": "Old desk" }, "external_id": "o 1", "tags": ["urgent"] });
    let old = send(
        &sandbox,
        Method::POST,
        &format!("/item/app/{ORDERS}/"),
        fields,
    )
    .await["item_id"]
        .as_u64()
        .unwrap();
    let path = format!("/item/app/{ORDERS}/filter/");
    let status = get(&sandbox, &format!("/app/{ORDERS}")).await["fields"][1]["field_id"].clone();

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
        (json!({ "created_by": ["app:1"] }), vec![]),
        (json!({ "created_via": [1], "title": "desk" }), vec![]),
    ] {
        let body = json!({ "filters": filters, "limit": 50 });
        let answer = send(&sandbox, Method::POST, &path, body).await;
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
        (
            json!({ "filters": { "last_edit_on": { "from": "-1d" } } }),
            501,
        ),
        (json!({ "filters": 7 }), 400),
        (json!({ "limit": 501 }), 400),
        (json!({ "sort_by": "colour" }), 400),
        (json!({ "view_id": 4 }), 501),
    ] {
        let (answered, answer) = sandbox.call(Method::POST, &path, &body).await;
        assert_eq!(answered, status, "{body}: {answer}");
    }
    let listed = get(
        &sandbox,
        &format!("/item/app/{ORDERS}/?status=5&limit=1&offset=1"),
    )
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
    let sandbox = Running::start(Config::default()).await;
    let customer =
        get(&sandbox, &format!("/item/app/{CUSTOMERS}/")).await["items"][0]["item_id"].clone();
    let body = json!({ "fields": { "title": "x", "customer": customer }, "external_id": "a/b 1" });
    let made = send(
        &sandbox,
        Method::POST,
        &format!("/item/app/{ORDERS}/"),
        body,
    )
    .await;
    let id = &made["item_id"];

    let number = made["app_item_id"].to_string();
    assert_eq!(
        get(&sandbox, &format!("/app/{ORDERS}/item/{number}")).await["item_id"],
        *id
    );
    let external = get(
        &sandbox,
        &format!("/item/app/{ORDERS}/external_id/a%2Fb%201"),
    )
    .await;
    assert_eq!(external["item_id"], *id);
    let listed = get(
        &sandbox,
        &format!("/item/app/{ORDERS}/v2/?external_id=a%2Fb%201"),
    )
    .await;
    assert_eq!(listed["filtered"], 1);
    assert_eq!(
        get(&sandbox, &format!("/item/app/{ORDERS}/count")).await["count"],
        4
    );
    let references = get(&sandbox, &format!("/item/{customer}/reference/")).await;
    assert_eq!(references[0]["app"]["app_id"], ORDERS);
    assert_eq!(references[0]["items"][0]["item_id"], *id);

    let ids = json!({ "item_ids": [id, 1] });
    let gone = send(
        &sandbox,
        Method::POST,
        &format!("/item/app/{ORDERS}/delete"),
        ids,
    )
    .await;
    assert_eq!(gone, json!({ "deleted": [id], "pending": [] }));
    assert_eq!(get(&sandbox, "/batch/").await, json!([]));
    let (status, _) = sandbox
        .call(Method::GET, &format!("/item/{id}"), &json!({}))
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn who_and_what_there_is_can_be_listed_in_parts() {
    let sandbox = Running::start(Config::default()).await;

    assert_eq!(get(&sandbox, "/user/").await["user_id"], 8_123_456);
    assert_eq!(get(&sandbox, "/user/profile/").await["name"], "Ada Holm");
    let org = get(&sandbox, "/org/").await[0]["org_id"].clone();
    assert_eq!(
        get(&sandbox, &format!("/org/{org}/space/")).await[0]["space_id"],
        SPACE
    );
    assert_eq!(
        get(&sandbox, &format!("/space/org/{org}/")).await[0]["name"],
        "Workshop"
    );
    let apps = get(&sandbox, "/app/?limit=2").await;
    assert_eq!(apps.as_array().unwrap().len(), 2);
    let rest = get(&sandbox, &format!("/app/space/{SPACE}/?offset=2")).await;
    assert_eq!(rest.as_array().unwrap().len(), 1);
    let members = get(&sandbox, &format!("/space/{SPACE}/member/?limit=2")).await;
    assert_eq!(members[1]["profile"]["name"], "Björn Lind");
    assert_eq!(
        get(&sandbox, "/contact/").await.as_array().unwrap().len(),
        3
    );

    let app = sandbox.client(app());
    assert!(app.scopes().await.is_ok());
    for path in ["/task/?reference=x", "/app/?order=name"] {
        let (status, answer) = sandbox.call(Method::GET, path, &json!({})).await;
        assert_eq!(status, 501, "{path}: {answer}");
    }
}

#[tokio::test]
async fn what_the_sandbox_has_not_is_said_by_name() {
    let sandbox = Running::start(Config::default()).await;
    for (method, path, name) in [
        (Method::GET, "/stream/", "`GET /stream`"),
        (
            Method::GET,
            "/item/field/271000000/find",
            "`GET /item/field/{id}/find`",
        ),
        (
            Method::POST,
            "/search/app/30682880/",
            "`POST /search/app/{id}`",
        ),
        (Method::GET, "/calendar/", "`GET /calendar`"),
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
async fn a_comment_is_changed_and_hangs_on_whatever_podio_lets_it() {
    let sandbox = Running::start(Config::default()).await;
    let item = order(&sandbox, json!({ "title": "x" })).await;
    let made = send(
        &sandbox,
        Method::POST,
        &format!("/comment/item/{item}"),
        json!({ "value": "a", "external_id": "c" }),
    )
    .await;
    let comment = made["comment_id"].clone();

    let changed = send(
        &sandbox,
        Method::PUT,
        &format!("/comment/{comment}"),
        json!({ "value": "b" }),
    )
    .await;
    assert_eq!(
        (&changed["value"], &changed["external_id"]),
        (&json!("b"), &json!("c"))
    );
    assert_eq!(
        get(&sandbox, &format!("/comment/item/{item}/?limit=1")).await[0]["value"],
        "b"
    );

    let status = send(
        &sandbox,
        Method::POST,
        &format!("/status/space/{SPACE}/"),
        json!({ "value": "s" }),
    )
    .await["status_id"]
        .clone();
    let file = send(
        &sandbox,
        Method::POST,
        "/file/",
        json!({ "filename": "a.txt" }),
    )
    .await["file_id"]
        .clone();
    let task =
        send(&sandbox, Method::POST, "/task/", json!({ "text": "t" })).await["task_id"].clone();
    for on in [
        format!("status/{status}"),
        format!("app/{ORDERS}"),
        format!("file/{file}"),
        format!("task/{task}"),
        format!("space/{SPACE}"),
    ] {
        send(
            &sandbox,
            Method::POST,
            &format!("/comment/{on}/"),
            json!({ "value": "x" }),
        )
        .await;
    }
    let (refused, answer) = sandbox
        .call(Method::POST, "/comment/moon/1/", &json!({ "value": "x" }))
        .await;
    assert_eq!(
        (refused, &answer["error_description"]),
        (400, &json!("Invalid reference moon"))
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a walk through one area")]
async fn a_task_answers_as_the_clients_expect() {
    let sandbox = Running::start(Config::default()).await;
    let status = send(
        &sandbox,
        Method::POST,
        &format!("/status/space/{SPACE}/"),
        json!({ "value": "s" }),
    )
    .await["status_id"]
        .clone();
    let item = order(&sandbox, json!({ "title": "x" })).await;
    for on in [
        format!("item/{item}"),
        format!("status/{status}"),
        format!("app/{ORDERS}"),
        format!("space/{SPACE}"),
        "conversation/77".to_owned(),
    ] {
        send(
            &sandbox,
            Method::POST,
            &format!("/task/{on}/"),
            json!({ "text": on }),
        )
        .await;
    }
    let body = json!({ "text": "Call", "due_on": "2026-12-01 09:30:00", "responsible": 8_123_457, "labels": ["phone"], "ref_type": "item", "ref_id": item });
    let task = send(&sandbox, Method::POST, "/task/", body).await;
    let id = task["task_id"].clone();
    assert_eq!(
        (&task["due_date"], &task["due_time"]),
        (&json!("2026-12-01"), &json!("09:30:00"))
    );
    assert_eq!(task["responsible"]["name"], "Björn Lind");

    let changed = send(
        &sandbox,
        Method::PUT,
        &format!("/task/{id}"),
        json!({ "text": "Ring" }),
    )
    .await;
    assert_eq!(
        (&changed["text"], &changed["due_date"]),
        (&json!("Ring"), &json!("2026-12-01"))
    );
    send(
        &sandbox,
        Method::PUT,
        &format!("/task/{id}/description"),
        json!({ "description": "soon" }),
    )
    .await;
    send(
        &sandbox,
        Method::PUT,
        &format!("/task/{id}/label/"),
        json!(["phone", "today"]),
    )
    .await;
    send(
        &sandbox,
        Method::POST,
        &format!("/task/{id}/assign"),
        json!({ "responsible": 8_123_458 }),
    )
    .await;
    send(
        &sandbox,
        Method::POST,
        &format!("/task/{id}/complete"),
        json!({}),
    )
    .await;

    let done = get(&sandbox, &format!("/task/{id}")).await;
    assert_eq!(done["description"], "soon");
    assert_eq!(done["completed_by"]["name"], "Ada Holm");
    assert_eq!(done["labels"][1]["text"], "today");
    assert_eq!(
        get(&sandbox, "/task/?completed=true").await[0]["task_id"],
        id
    );
    assert_eq!(
        get(&sandbox, "/task/?responsible=8123458&limit=5")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        get(&sandbox, &format!("/task/item/{item}/"))
            .await
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(get(&sandbox, "/task/total").await["own"]["total"], 5);
    assert_eq!(get(&sandbox, "/task/label/").await[0]["text"], "phone");
}

#[tokio::test]
async fn a_file_comes_back_byte_for_byte() {
    let sandbox = Running::start(Config::default()).await;
    let bytes = Bytes::from_static(b"%PDF\x00\xff\r\n--not the boundary\r\n");
    let mut form = Vec::from(&b"--B\r\ncontent-disposition: form-data; name=\"source\"; filename=\"a b.pdf\"\r\ncontent-type: application/pdf\r\n\r\n"[..]);
    form.extend_from_slice(&bytes);
    form.extend_from_slice(b"\r\n--B\r\ncontent-disposition: form-data; name=\"filename\"\r\n\r\noffer.pdf\r\n--B--\r\n");
    let token = sandbox.token().await;
    for path in ["/file/v2/", "/file/"] {
        let request = Request::post(format!("{}{path}", sandbox.base_url))
            .header("authorization", format!("OAuth2 {token}"))
            .header("content-type", "multipart/form-data; boundary=B")
            .body(Full::new(Bytes::from(form.clone())))
            .unwrap();
        let (status, file) = sandbox.raw(request).await;
        assert_eq!(status, 200, "{file}");
        assert_eq!(
            (&file["name"], &file["size"]),
            (&json!("offer.pdf"), &json!(bytes.len()))
        );
        assert_eq!(file["mimetype"], "application/pdf");
        let raw = format!("{}/file/{}/raw", sandbox.base_url, file["file_id"]);
        assert_eq!(file["link"], raw);

        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        let request = Request::get(raw).header("authorization", format!("OAuth2 {token}"));
        let answer = http
            .request(request.body(Full::<Bytes>::default()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.headers()["content-type"], "application/pdf");
        assert_eq!(
            answer.into_body().collect().await.unwrap().to_bytes(),
            bytes
        );
    }
    let cut = Request::post(format!("{}/file/v2/", sandbox.base_url))
        .header("authorization", format!("OAuth2 {token}"))
        .header("content-type", "multipart/form-data; boundary=B")
        .body(Full::new(Bytes::from(form[..120].to_vec())))
        .unwrap();
    assert_eq!(sandbox.raw(cut).await.0, 400);
}

#[tokio::test]
async fn changes_of_fields_and_forms_are_heard() {
    let sandbox = Running::start(Config::default()).await;
    let client = sandbox.user();
    let mut receiver = Receiver::start().await;
    for event in [EventType::AppUpdate, EventType::FormUpdate] {
        receiver
            .active_hook(&client, RefType::App, ORDERS, event)
            .await;
    }
    let new = json!({ "type": "text", "config": { "label": "Colour of oil", "settings": { "size": "large" } } });
    let field = send(
        &sandbox,
        Method::POST,
        &format!("/app/{ORDERS}/field/"),
        new,
    )
    .await["field_id"]
        .clone();
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    let path = format!("/app/{ORDERS}/field/{field}");
    let shown = get(&sandbox, &path).await;
    assert_eq!(shown["external_id"], "colour-of-oil");
    assert_eq!(shown["config"]["settings"]["size"], "large");

    send(&sandbox, Method::PUT, &path, json!({ "label": "Oil" })).await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    assert_eq!(get(&sandbox, &path).await["label"], "Oil");
    send(&sandbox, Method::DELETE, &path, json!({})).await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "app.update");
    let (status, _) = sandbox.call(Method::GET, &path, &json!({})).await;
    assert_eq!(status, 404);

    let form = send(
        &sandbox,
        Method::POST,
        &format!("/form/app/{ORDERS}/"),
        json!({ "settings": {} }),
    )
    .await["form_id"]
        .clone();
    send(
        &sandbox,
        Method::POST,
        &format!("/form/{form}/deactivate"),
        json!({}),
    )
    .await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "form.update");
    let forms = get(&sandbox, &format!("/form/app/{ORDERS}/")).await;
    assert_eq!(
        (&forms[0]["form_id"], &forms[0]["status"]),
        (&form, &json!("disabled"))
    );
    send(
        &sandbox,
        Method::POST,
        &format!("/form/{form}/activate"),
        json!({}),
    )
    .await;
    assert_eq!(receiver.next().await.event.kind.as_str(), "form.update");
}

#[tokio::test]
async fn tags_are_read_replaced_and_counted() {
    let sandbox = Running::start(Config::default()).await;
    let item = order(&sandbox, json!({ "title": "x" })).await;
    let path = format!("/tag/item/{item}/");
    send(&sandbox, Method::POST, &path, json!(["a", "b"])).await;
    send(&sandbox, Method::PUT, &path, json!(["b", "c"])).await;
    assert_eq!(get(&sandbox, &path).await, json!(["b", "c"]));
    let counted = get(&sandbox, &format!("/tag/app/{ORDERS}/?limit=1")).await;
    assert_eq!(counted, json!([{ "text": "b", "count": 1 }]));
}

#[tokio::test]
async fn a_page_of_another_site_gets_nothing_done() {
    let sandbox = Running::start(Config::default()).await;
    let token = sandbox.token().await;
    let url = format!(
        "{}/hook/app/{ORDERS}/?oauth_token={token}",
        sandbox.base_url
    );
    let hook = json!({ "url": "http://127.0.0.1:9/", "type": "item.create" }).to_string();
    let post = |headers: &[(&str, &str)]| {
        let mut request = Request::post(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(Bytes::from(hook.clone()))).unwrap()
    };
    let json = ("content-type", "application/json");
    for (headers, status) in [
        (vec![json], 200),
        (
            vec![("content-type", "application/json; charset=utf-8")],
            200,
        ),
        (vec![("content-type", "text/plain")], 400),
        (vec![], 400),
        (vec![json, ("origin", "https://evil.example")], 403),
        (vec![json, ("origin", "null")], 403),
        (vec![json, ("host", "evil.example")], 403),
        (vec![json, ("host", "evil.example:8090")], 403),
    ] {
        let (answered, answer) = sandbox.raw(post(&headers)).await;
        assert_eq!(answered, status, "{headers:?}: {answer}");
    }
}

#[tokio::test]
async fn two_sandboxes_of_different_seeds_give_different_tokens() {
    let mut tokens = Vec::new();
    for random_seed in [1, 2] {
        let sandbox = Running::start(Config {
            random_seed,
            ..Config::default()
        })
        .await;
        tokens.push(sandbox.token().await);
    }
    assert_ne!(tokens[0], tokens[1]);
}
