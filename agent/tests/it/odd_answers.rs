//! Tests explanations from answers of Podio in which a
//! value is null or odd: only that value is missing.

use crate::support::podio::PodioAgent;
use crate::support::{Reaction, Received, Service, answer};
use podtap_agent::Explanation;
use podtap_podio::client::{Credentials, Grant};
use podtap_sandbox as sandbox;
use serde_json::{Value, json};

/// Returns an API that knows one item; every path without an answer returns null.
fn api(answers: Vec<(&'static str, Value)>) -> impl Fn(&Received) -> Reaction {
    move |received| {
        let path = received.request_line().split([' ', '?']).nth(1).unwrap();
        let known = answers.iter().find(|(known, _)| *known == path);
        let body = match known {
            _ if path == "/oauth/token" => json!({
                "access_token": "t", "refresh_token": "r", "expires_in": 28_800, "token_type": "bearer",
            }),
            Some((_, body)) => body.clone(),
            None => Value::Null,
        };
        answer(200, &body.to_string())
    }
}

async fn explain(body: &str, answers: Vec<(&'static str, Value)>) -> Explanation {
    let service = Service::start(api(answers)).await;
    let running = PodioAgent::start(sandbox::SandboxConfig::default(), |podio| {
        podio.client.base_url = format!("http://{}", service.address).parse().unwrap();
        podio.client.credentials = Some(Credentials {
            client_id: "podtap".to_owned(),
            client_secret: "secret".into(),
            grant: Grant::Password {
                username: "ada@example.com".to_owned(),
                password: "sandbox".into(),
            },
        });
    })
    .await;
    let id = running.podio.forge(body).await;
    running.agent.handle.explain(id).await.unwrap()
}

const UPDATE: &str = "type=item.update&item_id=4&item_revision_id=7&hook_id=9";

fn difference() -> Value {
    json!([
        { "field_id": 1, "type": "text", "label": null, "external_id": "title", "from": null, "to": [{ "value": "x" }] },
        { "field_id": 2, "type": null, "label": "Amount", "from": [{ "value": "3.0000" }], "to": [{ "value": null }] },
        null,
        { "field_id": 3, "type": "app", "label": "Customer",
          "from": [{ "value": { "item_id": 1, "title": "Acme" } }],
          "to": [{ "value": { "item_id": 2, "title": "Acme" } }] },
    ])
}

#[tokio::test]
async fn an_odd_member_costs_a_word_of_the_explanation() {
    let told = explain(
        UPDATE,
        vec![
            (
                "/item/4",
                json!({ "item_id": 4, "title": "Desk", "app": null, "fields": null }),
            ),
            (
                "/item/4/revision/7",
                json!({
                    "revision": 7, "type": null, "created_on": null, "created_via": null,
                    "created_by": { "type": "user", "id": 5, "name": null },
                }),
            ),
            ("/item/4/revision/6/7", difference()),
        ],
    )
    .await;

    assert_eq!(told.title.as_deref(), Some("Desk"));
    assert_eq!((told.app, told.via, told.when), (None, None, None));
    assert_eq!(told.who.as_deref(), Some("user 5"));
    let changes: Vec<_> = told
        .changes
        .iter()
        .map(|c| (&*c.field, &*c.from, &*c.to))
        .collect();
    assert_eq!(
        changes,
        [
            ("title", "", "x"),
            ("Amount", "3.0000", ""),
            ("Customer", "Acme (item 1)", "Acme (item 2)"),
        ]
    );
}

#[tokio::test]
async fn an_answer_of_no_known_shape_costs_its_part_alone() {
    let told = explain(UPDATE, vec![("/item/4/revision/6/7", difference())]).await;

    assert_eq!(told.changes.len(), 3, "{told:#?}");
    let unread = |what: &str| told.notes.iter().any(|note| note.starts_with(what));
    assert!(
        unread("the item cannot be read") && unread("the revision cannot be read"),
        "{told:#?}"
    );
}

#[tokio::test]
async fn a_tag_is_told_from_the_event_or_from_the_item() {
    let item = json!({ "item_id": 4, "title": "Desk", "tags": ["urgent", "export"] });

    let told = explain(
        "type=tag.add&item_id=4&tag=urgent&hook_id=9",
        vec![("/item/4", item.clone())],
    )
    .await;
    assert_eq!(told.changes.first().unwrap().to, "urgent");
    assert_eq!(told.title.as_deref(), Some("Desk"));

    let told = explain(
        "type=tag.delete&item_id=4&hook_id=9",
        vec![("/item/4", item)],
    )
    .await;
    assert!(
        told.notes
            .iter()
            .any(|note| note.ends_with("urgent, export")),
        "{told:#?}"
    );
}
