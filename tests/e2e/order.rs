//! Invariant 2: events of one object reach the local
//! service in order, different objects in parallel.

use std::collections::HashMap;
use std::time::Duration;

use http::Response;
use http_body_util::Full;

use crate::support::{Service, Stage, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn one_objects_events_stay_in_order_while_others_overtake() {
    let stage = Stage::new();
    let service = Service::answering(|received| {
        // The slow object must not delay the others.
        if received.body.starts_with(b"item_id=1&") {
            std::thread::sleep(Duration::from_millis(15));
        }
        Response::new(Full::from("ok"))
    })
    .await;
    let (_relay, _, _agent, url) = stage.way_to(&service, &[]).await;

    for revision in 0..20 {
        for item in [1, 2, 3] {
            let body = format!("item_id={item}&item_revision_id={revision}&type=item.update");
            assert_eq!(form_post(&url, body.as_bytes()).await.status, 200);
        }
    }

    let received = service.wait_for(60).await;
    let mut orders: HashMap<String, Vec<String>> = HashMap::new();
    for request in &received {
        let body = std::str::from_utf8(&request.body).unwrap();
        let (item, rest) = body.split_once('&').unwrap();
        let (revision, _) = rest.split_once('&').unwrap();
        orders
            .entry(item.to_owned())
            .or_default()
            .push(revision.to_owned());
    }
    for (item, revisions) in &orders {
        let expected: Vec<_> = (0..20).map(|n| format!("item_revision_id={n}")).collect();
        assert_eq!(revisions, &expected, "{item}");
    }
}
