//! Snapshots of the table, and tests of what its rows open.

use jiff::SignedDuration;
use podtap_agent::EventId;
use podtap_agent::history::{FailureGroup, Failures};

use super::FaultsAnswer;
use crate::app::App;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, now, press, settle, text};

fn group(number: u64, status: Option<u16>, line: &str) -> FailureGroup {
    let ago = |seconds| now() - SignedDuration::from_secs(seconds);
    FailureGroup {
        fingerprint: format!("{number:010x}"),
        status,
        line: line.to_owned(),
        events: 1_204 / number,
        objects: usize::try_from(number).unwrap(),
        types: vec!["item.create".to_owned(), "item.update".to_owned()],
        first_at: ago(7_200),
        last_at: ago(40 * i64::try_from(number).unwrap()),
        newest: EventId::from_parts(now(), number.into()),
    }
}

fn open_groups(width: u16, height: u16, groups: Vec<FailureGroup>) -> App {
    let mut app = app(width, height);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "E", 500);
    let failures = Failures {
        groups,
        looked_at: 9,
        is_cut: false,
    };
    let grouped = FaultsAnswer::Grouped(Ok(Box::new(failures)));
    let answer = Message::Answer(FeatureAnswer::Faults(grouped));
    settle(&mut app, answer, 500);
    app
}

fn groups() -> Vec<FailureGroup> {
    vec![
        group(1, Some(500), "KeyError: 'title'\u{1b}[2J"),
        group(2, None, "connection refused"),
        group(3, Some(404), "Not found"),
    ]
}

#[test]
fn the_table_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 36)] {
        let app = open_groups(width, height, groups());
        insta::assert_snapshot!(format!("faults_{width}x{height}"), text(&frame(&app)));
    }
}

#[test]
fn a_fault_leads_to_its_events_and_none_is_said() {
    let mut app = open_groups(120, 36, groups());
    press(&mut app, "j", 500);
    press(&mut app, "enter", 500);
    assert!(app.windows.is_empty());
    let shown = text(&frame(&app));
    assert!(shown.contains("failure:0000000002"), "{shown}");

    let app = open_groups(120, 36, Vec::new());
    assert!(text(&frame(&app)).contains("No delivery has failed."));
}
