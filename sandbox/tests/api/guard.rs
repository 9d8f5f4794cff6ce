//! Tests which callers the sandbox accepts.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;

use crate::support::RunningSandbox;
use podtap_testing::calls::ORDERS;

#[tokio::test]
async fn a_page_of_another_site_gets_nothing_done() {
    let sandbox = RunningSandbox::new().await;
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
        let sandbox = RunningSandbox::with(|config| config.random_seed = random_seed).await;
        tokens.push(sandbox.token().await);
    }
    assert_ne!(tokens[0], tokens[1]);
}
