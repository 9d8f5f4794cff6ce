//! Tests comments, files and tags.

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::support::RunningSandbox;
use podtap_testing::calls::{ORDERS, SPACE};

#[tokio::test]
async fn a_comment_is_changed_and_hangs_on_whatever_podio_lets_it() {
    let sandbox = RunningSandbox::new().await;
    let item = sandbox.order(json!({ "title": "x" })).await;
    let made = sandbox
        .post(
            &format!("/comment/item/{item}"),
            json!({ "value": "a", "external_id": "c" }),
        )
        .await;
    let comment = made["comment_id"].clone();

    let changed = sandbox
        .put_json(&format!("/comment/{comment}"), json!({ "value": "b" }))
        .await;
    assert_eq!(
        (&changed["value"], &changed["external_id"]),
        (&json!("b"), &json!("c"))
    );
    assert_eq!(
        sandbox.get(&format!("/comment/item/{item}/?limit=1")).await[0]["value"],
        "b"
    );

    let status = sandbox
        .post(&format!("/status/space/{SPACE}/"), json!({ "value": "s" }))
        .await["status_id"]
        .clone();
    let file = sandbox.post("/file/", json!({ "filename": "a.txt" })).await["file_id"].clone();
    let task = sandbox.post("/task/", json!({ "text": "t" })).await["task_id"].clone();
    for on in [
        format!("status/{status}"),
        format!("app/{ORDERS}"),
        format!("file/{file}"),
        format!("task/{task}"),
        format!("space/{SPACE}"),
    ] {
        sandbox
            .post(&format!("/comment/{on}/"), json!({ "value": "x" }))
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
async fn a_file_comes_back_byte_for_byte() {
    let sandbox = RunningSandbox::new().await;
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
async fn tags_are_read_replaced_and_counted() {
    let sandbox = RunningSandbox::new().await;
    let item = sandbox.order(json!({ "title": "x" })).await;
    let path = format!("/tag/item/{item}/");
    sandbox.post(&path, json!(["a", "b"])).await;
    sandbox.put_json(&path, json!(["b", "c"])).await;
    assert_eq!(sandbox.get(&path).await, json!(["b", "c"]));
    let counted = sandbox.get(&format!("/tag/app/{ORDERS}/?limit=1")).await;
    assert_eq!(counted, json!([{ "text": "b", "count": 1 }]));
}

#[tokio::test]
async fn comments_and_tasks_carry_their_files() {
    let sandbox = RunningSandbox::new().await;
    let item = sandbox.order(json!({ "title": "x" })).await;
    let upload = async |name: &str| {
        let file = sandbox.post("/file/", json!({ "filename": name })).await;
        file["file_id"].clone()
    };
    let path = format!("/comment/item/{item}/");
    let with_file = json!({ "value": "See", "file_ids": [upload("a.txt").await] });
    let comment = sandbox.post(&path, with_file).await["comment_id"].clone();
    let task = json!({ "text": "Read", "file_ids": [upload("b.txt").await], "ref_type": "item", "ref_id": item });
    let task = sandbox.post("/task/", task).await;
    let later = upload("c.txt").await;
    let on = json!({ "ref_type": "comment", "ref_id": comment });
    sandbox.post(&format!("/file/{later}/attach"), on).await;

    let files = |object: &Value| -> Vec<String> {
        let files = object["files"].as_array().unwrap().iter();
        files
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let shown = sandbox.get(&format!("/comment/{comment}")).await;
    assert_eq!(files(&shown), ["a.txt", "c.txt"]);
    assert_eq!(files(&task), ["b.txt"]);
    let unknown = json!({ "value": "x", "file_ids": [1] });
    assert_eq!(
        sandbox.expect_refusal(Method::POST, &path, unknown).await.0,
        404
    );
    assert_eq!(sandbox.get(&path).await.as_array().unwrap().len(), 1);
    sandbox.delete(&format!("/item/{item}")).await;
    assert_eq!(sandbox.get("/file/").await, json!([]));
}
