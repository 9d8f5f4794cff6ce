//! Sends every event type of the catalogue from the sandbox through relay and agent
//! to the local service: it must receive the same as a hook without a tunnel.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use podtap_podio::{EventType, PodioEvent, RefType, decode};
use podtap_sandbox::{HookTypes, Sandbox, SandboxConfig};
use podtap_testing::calls;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::calls::{ORDERS, SPACE, everything};
use crate::support::{Received, Service, Stage, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_type_comes_through_as_podio_would_send_it() {
    let (stage, direct, service) = (Stage::new(), Service::start().await, Service::start().await);
    let podio = Podio::start().await;
    let (relay, token) = (stage.relay().await, stage.token("ann"));
    let options = ["--podio-url", &podio.url];
    let (agent, url) = stage
        .agent(&relay.url(), &token, service.address(), &options)
        .await;

    let tunnelled = podio.hooks(&format!("{url}podio/hook")).await;
    let others = podio
        .hooks(&format!("http://{}/podio/hook", direct.address()))
        .await;
    let verified = || (agent.objects("verify").len() == tunnelled.len()).then_some(());
    eventually("the verifications", verified, || agent.stderr()).await;
    for received in direct.wait_for(others.len()).await {
        podio.validate(&event(&received)).await;
    }

    let call = async |method, path: &str, body: &_| podio.call(method, path, body).await;
    let calls = everything(call).await;
    for (method, path, body) in &calls {
        let (status, answer) = podio.call(method.clone(), path, body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
    }

    let all = tunnelled.len() + calls.len();
    let (through, without) = (service.wait_for(all).await, direct.wait_for(all).await);
    assert_eq!(hooks_verified(&through), tunnelled);
    assert_eq!(hooks_verified(&without), others);
    assert_eq!(received_parameters(&through), received_parameters(&without));
    let types: BTreeSet<_> = through
        .iter()
        .map(|one| event(one).kind.to_string())
        .collect();
    let expected = EventType::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(types, expected);
}

fn event(received: &Received) -> PodioEvent {
    let content_type = std::str::from_utf8(received.header("content-type")[0]).unwrap();
    decode(Some(content_type), &received.body).unwrap()
}

/// Returns the hooks that were asked to verify themselves.
fn hooks_verified(received: &[Received]) -> BTreeSet<u64> {
    let verify = received
        .iter()
        .map(event)
        .filter(|event| event.code().is_some());
    verify.map(|event| event.hook_id.unwrap()).collect()
}

/// Returns the parameters of all other events, sorted, without the hook's id.
fn received_parameters(received: &[Received]) -> Vec<Vec<(String, String)>> {
    let others = received
        .iter()
        .map(event)
        .filter(|event| event.code().is_none());
    let mut said: Vec<_> = others
        .map(|event| {
            let mut params = event.params;
            params.retain(|(name, _)| name != "hook_id");
            params.sort();
            params
        })
        .collect();
    said.sort();
    said
}

/// A sandbox with the whole catalogue, and the access of its first user.
struct Podio {
    url: String,
    token: String,
    http: Client<HttpConnector, Full<Bytes>>,
    _server: JoinSet<()>,
}

impl Podio {
    async fn start() -> Self {
        let bound = Sandbox::bind(SandboxConfig {
            hook_types: HookTypes::AsDocumented,
            ..SandboxConfig::default()
        })
        .await
        .unwrap();
        let url = bound.base_url().trim_end_matches('/').to_owned();
        let mut server = JoinSet::new();
        server.spawn(bound.run(CancellationToken::new()));
        let mut podio = Self {
            url,
            token: String::new(),
            http: Client::builder(TokioExecutor::new()).build_http(),
            _server: server,
        };
        let login = json!({
            "grant_type": "password", "username": "ada@example.com", "password": "sandbox",
            "client_id": "podtap", "client_secret": "sandbox-secret",
        });
        let (_, granted) = podio.call(Method::POST, "/oauth/token/v2", &login).await;
        let granted = granted["access_token"].as_str();
        granted.unwrap().clone_into(&mut podio.token);
        podio
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()))
            .unwrap();
        let answer = self.http.request(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Creates a hook of every type that calls `url`.
    async fn hooks(&self, url: &str) -> BTreeSet<u64> {
        let mut hooks = BTreeSet::new();
        for (ref_type, id) in [(RefType::App, ORDERS), (RefType::Space, SPACE)] {
            for event in EventType::on(ref_type) {
                let path = format!("/hook/{ref_type}/{id}/");
                let hook = json!({ "url": url, "type": event.as_str() });
                let (_, created) = self.call(Method::POST, &path, &hook).await;
                hooks.insert(created["hook_id"].as_u64().unwrap());
            }
        }
        hooks
    }

    async fn validate(&self, verify: &PodioEvent) {
        let path = format!("/hook/{}/verify/validate", verify.hook_id.unwrap());
        let code = json!({ "code": verify.code() });
        let (status, answer) = self.call(Method::POST, &path, &code).await;
        assert!(status < 300, "{status} {answer}");
    }
}
