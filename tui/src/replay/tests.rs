//! Tests of the replay form: what can be typed, which confirmation is shown, and what is sent.

use podtap_agent::history::Position;

use super::*;
use crate::effect::Effect;
use crate::list::{FindPurpose, ListAnswer, ListEffect, ReplayOptions};
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app_after, frame, id, send_form, text};

#[test]
fn empty_fields_leave_things_as_they_are() {
    let mut app = app_after("m m m R");
    assert_eq!(send_form(&mut app).len(), 3);
    let mut app = app_after("m m m R 4 0 0 0 tab 2");
    let effects = send_form(&mut app);
    assert_eq!(effects.len(), 2, "two a second: {effects:?}");
    let elsewhere = "4000".parse().ok();
    assert!(
        matches!(&effects[0], Effect::Replay(ReplayEffect::Replay { target, .. }) if *target == elsewhere)
    );
}

#[test]
fn what_cannot_be_is_told_and_nothing_is_sent() {
    for (keys, told) in [
        ("R f t p : / / x", "try 3000"),
        ("R tab 0", "from 1 to 1000"),
    ] {
        let mut app = app_after(keys);
        assert_eq!(send_form(&mut app), []);
        let shown = text(&frame(&app));
        assert!(shown.contains(told), "{shown}");
    }
}

#[test]
fn all_that_pass_the_filter_are_found_first_and_not_asked_for_once_more() {
    let mut app = app_after("R shift-tab right");
    let shown = text(&frame(&app));
    assert!(shown.contains("all 500 events"), "{shown}");
    let effects = send_form(&mut app);
    let [Effect::List(ListEffect::FindAll { purpose, .. })] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let found = (1..=4).rev().map(|at| (Position(at), id(at))).collect();
    let purpose = purpose.clone();
    let result = Ok(found);
    let effects = app.update(Message::Answer(FeatureAnswer::List(ListAnswer::FoundAll {
        purpose,
        result,
    })));
    assert!(
        matches!(effects[0], Effect::Replay(ReplayEffect::Replay { id: first, .. }) if first == id(1)),
        "the oldest goes first: {effects:?}"
    );
    assert!(app.windows.is_empty());
}

#[test]
fn how_many_they_are_is_asked_about_where_the_form_could_not_tell() {
    let mut app = app_after("R shift-tab right");
    let purpose = FindPurpose::Replay(ReplayOptions {
        of: None,
        asks: true,
        target: None,
        rate: None,
    });
    app.update(Message::Key(
        "esc".parse::<crate::keymap::KeyPress>().unwrap().into(),
    ));
    let result = Ok((1..=4).rev().map(|at| (Position(at), id(at))).collect());
    app.update(Message::Answer(FeatureAnswer::List(ListAnswer::FoundAll {
        purpose,
        result,
    })));
    let shown = text(&frame(&app));
    assert!(shown.contains("Send 4 events again"), "{shown}");
}
