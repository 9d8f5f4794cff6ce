//! Provides a running sandbox, a receiver of webhooks, and plain calls of the API.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::{TokioExecutor, TokioIo};
use podtap_podio::client::{
    BaseUrl, Client, Credentials, Grant, PodioClientConfig as ClientConfig,
};
use podtap_podio::{EventType, PodioEvent, RefType, decode};
use podtap_sandbox::{Handle, Observation, Sandbox, SandboxConfig, SentWebhook};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use podtap_testing::calls::ORDERS;

/// An id of the example seed that is not in `calls`.
pub(crate) const CUSTOMERS: u64 = 30_682_990;

/// Maximum time to wait: long enough for a busy machine, short enough to notice.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A sandbox that runs until this is dropped.
pub(crate) struct RunningSandbox {
    pub(crate) base_url: BaseUrl,
    pub(crate) handle: Handle,
    /// Tasks, which end when this is dropped.
    _tasks: JoinSet<()>,
}

impl RunningSandbox {
    /// Starts a sandbox with the example seed and the default configuration.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a sandbox with a changed configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut SandboxConfig)) -> Self {
        let mut config = SandboxConfig::default();
        change(&mut config);
        let bound = Sandbox::bind(config).await.unwrap();
        let base_url = bound.base_url().parse().unwrap();
        let handle = bound.handle();
        let mut tasks = JoinSet::new();
        tasks.spawn(bound.run(CancellationToken::new()));
        Self {
            base_url,
            handle,
            _tasks: tasks,
        }
    }

    pub(crate) fn client(&self, grant: Grant) -> Client {
        Client::new(self.config(grant)).unwrap()
    }

    pub(crate) fn user(&self) -> Client {
        self.client(password())
    }

    /// Returns a client of the first user, and a receiver with a validated hook.
    pub(crate) async fn with_hook(
        &self,
        ref_type: RefType,
        ref_id: u64,
        event: EventType,
    ) -> (Client, Receiver) {
        let (client, mut receiver) = (self.user(), Receiver::start().await);
        receiver.active_hook(&client, ref_type, ref_id, event).await;
        (client, receiver)
    }

    pub(crate) fn config(&self, grant: Grant) -> ClientConfig {
        ClientConfig {
            base_url: self.base_url.clone(),
            credentials: Some(credentials(grant)),
            ..ClientConfig::default()
        }
    }

    /// Returns a token of the first user.
    pub(crate) async fn token(&self) -> String {
        let form = "grant_type=password&client_id=podtap&client_secret=sandbox-secret\
                    &username=ada%40example.com&password=sandbox";
        let token = self
            .raw(
                Request::post(format!("{}/oauth/token", self.base_url))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Full::new(Bytes::from(form)))
                    .unwrap(),
            )
            .await;
        token.1["access_token"].as_str().unwrap().to_owned()
    }

    /// Calls the API as the first user without our client, as another program would.
    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let token = self.token().await;
        self.raw(
            Request::builder()
                .method(method)
                .uri(format!("{}{path}", self.base_url))
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .body(Full::new(Bytes::from(body.to_string())))
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.good(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.good(Method::POST, path, body).await
    }

    pub(crate) async fn put_json(&self, path: &str, body: Value) -> Value {
        self.good(Method::PUT, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Value {
        self.good(Method::DELETE, path, Value::Null).await
    }

    /// Makes a call that must succeed, and returns the answer.
    async fn good(&self, method: Method, path: &str, body: Value) -> Value {
        let body = if body.is_null() { json!({}) } else { body };
        let (status, answer) = self.call(method.clone(), path, &body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// Makes a call that must be refused. Returns the status and Podio's text.
    pub(crate) async fn expect_refusal(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> (u16, String) {
        let (status, answer) = self.call(method.clone(), path, &body).await;
        assert!(status >= 400, "{method} {path}: {status} {answer}");
        let said = answer["error_description"].as_str().unwrap_or_default();
        (status, said.to_owned())
    }

    /// Creates an item in the app of orders.
    pub(crate) async fn order(&self, fields: Value) -> u64 {
        let body = json!({ "fields": fields });
        let item = self.post(&format!("/item/app/{ORDERS}/"), body).await;
        item["item_id"].as_u64().unwrap()
    }

    pub(crate) async fn raw(&self, request: Request<Full<Bytes>>) -> (u16, Value) {
        let http = HyperClient::builder(TokioExecutor::new()).build_http();
        let answer = timeout(SOON, http.request(request)).await.unwrap().unwrap();
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

pub(crate) fn credentials(grant: Grant) -> Credentials {
    Credentials {
        client_id: "podtap".to_owned(),
        client_secret: SecretString::from("sandbox-secret"),
        grant,
    }
}

pub(crate) fn password() -> Grant {
    Grant::Password {
        username: "ada@example.com".to_owned(),
        password: SecretString::from("sandbox"),
    }
}

pub(crate) fn app() -> Grant {
    Grant::App {
        app_id: ORDERS,
        app_token: SecretString::from("sandbox-orders-token"),
    }
}

/// Returns the next attempt to deliver an event of this type. The verification of its hook
/// may still be observed before.
pub(crate) async fn next_sent(
    observations: &mut broadcast::Receiver<Observation>,
    event: EventType,
) -> SentWebhook {
    loop {
        let seen = timeout(SOON, observations.recv()).await.unwrap();
        match seen.unwrap() {
            Observation::Sent(sent) if sent.event == event => return sent,
            _ => {}
        }
    }
}

/// One POST as it arrived.
#[derive(Debug)]
pub(crate) struct ReceivedPost {
    pub(crate) path_and_query: String,
    pub(crate) content_type: String,
    pub(crate) event: PodioEvent,
}

/// A local service that stores requests and answers as the test says.
pub(crate) struct Receiver {
    pub(crate) url: String,
    events: mpsc::Receiver<ReceivedPost>,
    status: Arc<Mutex<Option<u16>>>,
    /// Tasks, which end when this is dropped.
    _tasks: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (send, events) = mpsc::channel(1_000);
        let status = Arc::new(Mutex::new(Some(200)));
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener, send, Arc::clone(&status)));
        Self {
            url,
            events,
            status,
            _tasks: tasks,
        }
    }

    /// Sets the status of all further answers.
    pub(crate) fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = Some(status);
    }

    /// Stops answering.
    pub(crate) fn hang(&self) {
        *self.status.lock().unwrap() = None;
    }

    pub(crate) async fn next(&mut self) -> ReceivedPost {
        timeout(SOON, self.events.recv()).await.unwrap().unwrap()
    }

    pub(crate) fn nothing_more(&mut self) -> bool {
        self.events.try_recv().is_err()
    }

    /// Creates a validated hook on this receiver.
    pub(crate) async fn active_hook(
        &mut self,
        client: &Client,
        ref_type: RefType,
        ref_id: u64,
        event: EventType,
    ) -> u64 {
        let url = format!("{}/hook", self.url);
        let hook_id = client
            .create_hook(ref_type, ref_id, &url, event)
            .await
            .unwrap();
        let verify = self.next().await.event;
        assert_eq!(verify.hook_id, Some(hook_id));
        let code = verify.code().unwrap();
        client.validate_hook(hook_id, code).await.unwrap();
        hook_id
    }
}

async fn listen(
    listener: TcpListener,
    send: mpsc::Sender<ReceivedPost>,
    status: Arc<Mutex<Option<u16>>>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (send, status) = (send.clone(), Arc::clone(&status));
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let (send, status) = (send.clone(), Arc::clone(&status));
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let content_type = head.headers["content-type"].to_str().unwrap();
                let received = ReceivedPost {
                    path_and_query: head.uri.to_string(),
                    content_type: content_type.to_owned(),
                    event: decode(Some(content_type), &body).unwrap(),
                };
                assert_eq!(head.method, Method::POST);
                let answer = *status.lock().unwrap();
                send.send(received).await.unwrap();
                let Some(answer) = answer else {
                    return std::future::pending().await;
                };
                let mut response = Response::new(Full::new(Bytes::new()));
                *response.status_mut() = answer.try_into().unwrap();
                Ok::<_, Infallible>(response)
            }
        });
        connections.spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
