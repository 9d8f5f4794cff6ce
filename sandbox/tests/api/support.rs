//! A running sandbox, a receiver of webhooks, and plain calls of the API.

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

/// An id of the example seed, beside those of `calls`.
pub(crate) const CUSTOMERS: u64 = 30_682_990;

/// Long enough for a loaded machine, short enough to notice.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A sandbox that runs until it is dropped.
pub(crate) struct RunningSandbox {
    pub(crate) base_url: BaseUrl,
    pub(crate) handle: Handle,
    /// Ends with this value.
    _tasks: JoinSet<()>,
}

impl RunningSandbox {
    /// The example seed, and everything as by default.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same but for what is changed.
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

    /// The first user, and a receiver with a hook that has been validated.
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

    /// A token of the first user.
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

    /// A call as a program without our client makes it, as the first user.
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

    /// A call that succeeds.
    async fn good(&self, method: Method, path: &str, body: Value) -> Value {
        let body = if body.is_null() { json!({}) } else { body };
        let (status, answer) = self.call(method.clone(), path, &body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// The status of a call that is refused, and Podio's words for it.
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

    /// A new item of the orders.
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

/// The next attempt to deliver an event of this type; the verification of its hook may be noted
/// late.
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

/// A local service that keeps what it gets and answers as it is told.
pub(crate) struct Receiver {
    pub(crate) url: String,
    events: mpsc::Receiver<ReceivedPost>,
    status: Arc<Mutex<Option<u16>>>,
    /// Ends with this value.
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

    /// How everything is answered from now on.
    pub(crate) fn answer(&self, status: u16) {
        *self.status.lock().unwrap() = Some(status);
    }

    /// Nothing is answered from now on.
    pub(crate) fn hang(&self) {
        *self.status.lock().unwrap() = None;
    }

    pub(crate) async fn next(&mut self) -> ReceivedPost {
        timeout(SOON, self.events.recv()).await.unwrap().unwrap()
    }

    pub(crate) fn nothing_more(&mut self) -> bool {
        self.events.try_recv().is_err()
    }

    /// A hook on this receiver that has been validated.
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
