//! Tests callers: every grant, tokens that expire or are refused, and both token endpoints.

use std::time::Duration;

use http::{Method, Request};
use http_body_util::Full;
use podtap_podio::client::{Client, Error, Grant, PodioClientConfig as ClientConfig};
use podtap_sandbox::Observation;
use secrecy::SecretString;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{RunningSandbox, app, credentials, password};
use podtap_testing::calls::{ORDERS, SPACE};

/// Returns how many of the observations are calls of the token endpoint.
fn token_calls(observations: &mut tokio::sync::broadcast::Receiver<Observation>) -> usize {
    let mut calls = 0;
    while let Ok(seen) = observations.try_recv() {
        let is_token = matches!(seen, Observation::Call { path, .. } if path == "/oauth/token");
        calls += usize::from(is_token);
    }
    calls
}

#[tokio::test]
async fn a_login_in_the_browser_gives_tokens_that_later_runs_use() {
    let sandbox = RunningSandbox::new().await;
    let folder = tempfile::tempdir().unwrap();
    let token_file = Some(folder.path().join("tokens.json"));
    let redirect_uri = "http://localhost:8400/callback";
    let page = credentials(Grant::Stored).authorize_url(&sandbox.base_url, redirect_uri, "s");
    let answer = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http()
        .request(
            Request::get(page)
                .body(Full::<bytes::Bytes>::default())
                .unwrap(),
        )
        .await
        .unwrap();
    let location = url::Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    let answer: std::collections::HashMap<_, _> = location.query_pairs().collect();
    assert_eq!(answer["state"], "s");
    let code = SecretString::from(answer["code"].as_ref());

    let config = |grant| ClientConfig {
        token_file: token_file.clone(),
        ..sandbox.config(grant)
    };
    let grant = Grant::AuthorizationCode {
        code,
        redirect_uri: redirect_uri.to_owned(),
    };
    let first = Client::new(config(grant)).unwrap();
    first.login().await.unwrap();
    assert!(matches!(
        first.login().await,
        Err(Error::Unauthorized { .. })
    ));

    let later = Client::new(config(Grant::Stored)).unwrap();
    assert_eq!(later.space(SPACE).await.unwrap().name, "Workshop");

    sandbox.handle.revoke_tokens();
    assert!(matches!(later.space(SPACE).await, Err(Error::LoginNeeded)));
}

#[tokio::test]
async fn a_wrong_secret_is_noticed_though_tokens_are_kept() {
    let sandbox = RunningSandbox::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = ClientConfig {
        token_file: Some(folder.path().join("tokens.json")),
        ..sandbox.config(app())
    };
    let right = Client::new(config.clone()).unwrap();
    right.scopes().await.unwrap();

    config.credentials.as_mut().unwrap().client_secret = SecretString::from("wrong");
    let wrong = Client::new(config).unwrap().scopes().await;

    assert!(
        matches!(wrong, Err(Error::Unauthorized { .. })),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn a_wrong_secret_password_or_app_token_is_told_in_podios_words() {
    let sandbox = RunningSandbox::new().await;
    let wrong = || SecretString::from("wrong");
    let mut config = sandbox.config(app());
    config.credentials.as_mut().unwrap().client_secret = wrong();
    let error = Client::new(config).unwrap().scopes().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("you've supplied an invalid client id"),
        "{error}"
    );

    for grant in [
        Grant::App {
            app_id: ORDERS,
            app_token: wrong(),
        },
        Grant::Password {
            username: "ada@example.com".to_owned(),
            password: wrong(),
        },
    ] {
        let error = sandbox.client(grant).scopes().await.unwrap_err();
        assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
        assert!(!error.may_pass());
        assert!(!format!("{error:?}").contains("wrong"));
    }
}

#[tokio::test]
async fn many_callers_share_one_token_and_one_renewal() {
    let sandbox = RunningSandbox::new().await;
    let client = sandbox.user();
    let mut observations = sandbox.handle.subscribe();
    let all_at_once = async || {
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let client = client.clone();
            callers.spawn(async move { client.scopes().await.unwrap() });
        }
        callers.join_all().await.len()
    };

    assert_eq!(all_at_once().await, 20);
    assert_eq!(token_calls(&mut observations), 1);
    sandbox.handle.revoke_tokens();
    assert_eq!(all_at_once().await, 20);
    // The refresh token is revoked too: one failed refresh, one new grant.
    assert_eq!(token_calls(&mut observations), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_after_it_has_ended() {
    let sandbox =
        RunningSandbox::with(|config| config.token_lifetime = Duration::from_mins(1)).await;
    let mut observations = sandbox.handle.subscribe();
    let early = Client::new(ClientConfig {
        refresh_margin: Duration::from_mins(2),
        ..sandbox.config(password())
    })
    .unwrap();
    early.scopes().await.unwrap();
    early.scopes().await.unwrap();
    assert_eq!(token_calls(&mut observations), 2);

    // The tokens have expired when they arrive: each call is a 401, a refresh, a second 401.
    let sandbox = RunningSandbox::with(|config| config.token_lifetime = Duration::ZERO).await;
    let late = Client::new(ClientConfig {
        refresh_margin: Duration::ZERO,
        ..sandbox.config(password())
    })
    .unwrap();
    let mut observations = sandbox.handle.subscribe();
    let error = late.scopes().await.unwrap_err();
    assert_eq!(
        error.refusal().unwrap().description.as_deref(),
        Some("expired_token")
    );
    assert_eq!(token_calls(&mut observations), 2);
}

#[tokio::test]
async fn each_token_endpoint_takes_its_own_encoding_alone() {
    let sandbox = RunningSandbox::new().await;
    for (path, content_type, body, error, description) in [
        (
            "/oauth/token",
            "application/x-www-form-urlencoded",
            "client_id=x&client_secret=y",
            "invalid_client",
            "you've supplied an invalid client id",
        ),
        (
            "/oauth/token",
            "application/json",
            r#"{"client_id":"x","client_secret":"y"}"#,
            "invalid_client",
            "Missing parameter client_id",
        ),
        (
            "/oauth/token/v2",
            "application/json",
            r#"{"client_id":"x","client_secret":"y"}"#,
            "invalid_client",
            "you've supplied an invalid client id",
        ),
        (
            "/oauth/token/v2",
            "application/x-www-form-urlencoded",
            "client_id=x&client_secret=y",
            "invalid_value",
            "Invalid value null (null): must be object",
        ),
    ] {
        let request = Request::post(format!("{}{path}", sandbox.base_url))
            .header("content-type", content_type)
            .body(Full::from(body))
            .unwrap();
        let (status, answer) = sandbox.raw(request).await;
        assert_eq!(status, 400);
        assert_eq!(
            (&answer["error"], &answer["error_description"]),
            (&json!(error), &json!(description)),
            "{path} {content_type}"
        );
    }
}

#[tokio::test]
async fn a_missing_wrong_or_empty_token_is_refused_as_podio_does() {
    let sandbox = RunningSandbox::new().await;
    for (header, status, description) in [
        (None, 401, "invalid_request"),
        (Some("OAuth2 nonsense"), 401, "expired_token"),
        (Some("Bearer nonsense"), 401, "expired_token"),
        (Some("OAuth2 "), 400, "Invalid authorization header"),
    ] {
        let mut request = Request::get(format!("{}/oauth/scope", sandbox.base_url));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let (answered, answer) = sandbox.raw(request.body(Full::default()).unwrap()).await;
        assert_eq!(
            (answered, &answer["error_description"]),
            (status, &json!(description))
        );
    }
    let (status, answer) = sandbox.call(Method::GET, "/nowhere", &json!({})).await;
    assert_eq!(status, 404);
    assert!(
        answer["error_description"]
            .as_str()
            .unwrap()
            .starts_with("No matching operation")
    );
}
