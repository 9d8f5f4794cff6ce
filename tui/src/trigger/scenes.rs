//! Snapshots of the trigger form, at every size for which the layout differs.

use crate::message::Message;
use crate::snapshot::snapshot;
use crate::testing::{app, now, press, settle};

#[test]
fn the_form_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 40), (200, 60)] {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 1_204);
        press(&mut app, "t", 1_204);
        snapshot!("trigger", &app);
    }
}

#[test]
fn another_type_and_what_cannot_be() {
    for (width, height) in [(60, 15), (80, 24)] {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 0);
        press(&mut app, "t left tab tab tab enter", 0);
        snapshot!("another", &app);
    }
}

#[test]
fn an_empty_history_names_the_key() {
    let mut app = app(80, 24);
    let mut status = crate::testing::status();
    status.link = podtap_agent::LinkState::Off;
    settle(&mut app, Message::Status(Box::new(status)), 0);
    settle(&mut app, Message::Tick(now()), 0);
    snapshot!("empty", &app);
}
