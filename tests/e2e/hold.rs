//! While a local service is down, events are held; none is marked as failed because of it.

use crate::support::{GoneService, Service, Stage, form_post};

#[tokio::test(flavor = "multi_thread")]
async fn events_wait_for_a_local_service_that_is_down_and_go_when_it_is_back() {
    let stage = Stage::new();
    let gone = GoneService::new();
    let address = gone.address();
    let relay = stage.relay().await;
    let token = stage.token("ann");
    let (_agent, url) = stage.agent(&relay.url(), &token, address, &[]).await;

    for n in 0..10 {
        let body = format!("type=item.update&item_id=7&item_revision_id={n}");
        assert_eq!(form_post(&url, body.as_bytes()).await.status, 200);
    }
    let state = || format!("{} events", stage.events(&[]).len());
    let stored = || (stage.events(&["status:pending"]).len() == 10).then_some(());
    crate::support::eventually("ten waiting events", stored, state).await;

    drop(gone);
    let service = Service::back_at(address).await;
    let received = service.wait_for(10).await;
    let bodies: Vec<_> = received
        .iter()
        .map(|request| request.body.clone())
        .collect();
    let expected: Vec<_> = (0..10)
        .map(|n| format!("type=item.update&item_id=7&item_revision_id={n}"))
        .collect();
    assert_eq!(bodies, expected);

    let answered = || (stage.events(&["status:200"]).len() == 10).then_some(());
    crate::support::eventually("ten answered events", answered, state).await;
    for event in stage.events(&[]) {
        let attempts = event["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1, "waiting is no attempt: {event}");
    }
}
