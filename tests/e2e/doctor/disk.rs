//! The data folder and the history in it.

use super::DoctorOutput;
use crate::support::{Service, Stage, form_post};

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let stage = Stage::new();
    let file = stage.home().join("file");
    std::fs::write(&file, "").unwrap();
    let folder = file.join("data").display().to_string();
    let said = DoctorOutput::of(&stage, &["--data-dir", &folder], &[]);
    said.breaks_at("data-folder", "cannot be written", &["last-event"]);
    assert!(said.fix("data-folder").contains("--data-dir"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_history_is_found_and_left_as_it_is() {
    let (stage, service) = (Stage::new(), Service::start().await);
    let (_relay, _, mut agent, url) = stage.way_to(&service, &[]).await;
    for id in 0..40 {
        let body = format!("type=item.create&item_id={id}&text={}", "x".repeat(2_000));
        form_post(&url, body.as_bytes()).await;
    }
    service.wait_for(40).await;
    agent.terminate();
    agent.wait_for_end().await;
    let history = stage.home().join("data/podtap/tunnels/crm.db");
    let mut bytes = std::fs::read(&history).unwrap();
    // Overwrites a part of each page after the first
    // two: the content of the tables, not the schema.
    for page in bytes.chunks_mut(4_096).skip(2) {
        page[8..200].fill(0xa5);
    }
    std::fs::write(&history, &bytes).unwrap();

    let said = DoctorOutput::of(&stage, &[], &[]);

    said.breaks_at("data-folder", "", &["last-event"]);
    assert!(
        said.fix("data-folder").contains("podtap listen"),
        "{said:?}"
    );
    assert_eq!(std::fs::read(&history).unwrap(), bytes, "it only looks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_event_that_was_not_answered_well_is_told() {
    let stage = Stage::new();
    let service = Service::answering(|_| {
        let response = http::Response::builder().status(500);
        response.body(http_body_util::Full::default()).unwrap()
    })
    .await;
    let (_relay, _, agent, url) = stage.way_to(&service, &[]).await;
    form_post(&url, b"type=item.create&item_id=1").await;
    agent
        .object("attempt", |attempt| attempt["status"] == 500)
        .await;
    DoctorOutput::of(&stage, &[], &[]).has("last-event", "warning", "answered 500");
}
