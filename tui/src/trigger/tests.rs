//! Tests of the trigger form without a terminal: what it offers, what it sends, what it refuses.

use podtap_agent::draft::PATH;
use podtap_agent::history::{Attempt, Outcome};
use podtap_agent::{Status, Trigger, TriggerResult};
use podtap_podio::decode;

use super::*;
use crate::app::App;
use crate::detail::DetailAnswer;
use crate::detail::DetailEffect;
use crate::effect::Effect;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{
    answer, app, attempts, frame, id, now, press, settle, status, text, with_body,
};

/// Returns an app on an empty history.
fn empty() -> App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 0);
    app
}

/// Returns an app whose newest event has this body.
fn selecting(body: &str) -> App {
    let mut app = app(100, 30);
    let mut effects = app.update(Message::Tick(now()));
    while let Some(effect) = effects.pop() {
        let answer = match effect {
            Effect::Detail(DetailEffect::LoadEvent {
                generation,
                options,
                ..
            }) => {
                let event = with_body(9, body.as_bytes());
                let zone = jiff::tz::TimeZone::UTC;
                let full = crate::detail::FullEvent {
                    event,
                    attempts: Vec::new(),
                    explanation: None,
                };
                let opened = crate::detail::OpenEvent::new(full, options, &zone);
                let result = Ok(Some(Box::new(opened)));
                Some(FeatureAnswer::Detail(DetailAnswer::Event {
                    generation,
                    result,
                }))
            }
            effect => answer(effect, 9),
        };
        let answered = answer.map(|answer| app.update(Message::Answer(answer)));
        effects.extend(answered.into_iter().flatten());
    }
    app
}

fn types(app: &mut App, text: &str) {
    app.update(Message::Paste(text.to_owned()));
}

/// Submits the form, and returns the request, if there is one.
fn send_form(app: &mut App) -> Option<Trigger> {
    let enter: crate::keymap::KeyPress = "enter".parse().unwrap();
    let effects = app.update(Message::Key(enter.into()));
    effects.into_iter().find_map(|effect| match effect {
        Effect::Trigger(TriggerEffect::Trigger(trigger)) => Some(*trigger),
        _ => None,
    })
}

/// Returns the parameters of a request, sorted by name because their order is random.
fn says(trigger: &Trigger) -> String {
    let mut params = decode(None, &trigger.request.body).unwrap().params;
    params.sort_by(|(one, _), (other, _)| one.cmp(other));
    let params = params.iter().map(|(name, value)| format!("{name}={value}"));
    params.collect::<Vec<_>>().join(" ")
}

fn sends(app: &mut App) -> String {
    says(&send_form(app).unwrap())
}

fn screen_text(app: &App) -> String {
    text(&frame(app))
}

#[test]
fn on_an_empty_history_podios_usual_event_is_one_key_away() {
    let mut app = empty();
    press(&mut app, "t", 0);

    let trigger = send_form(&mut app).unwrap();

    let usual = "external_id=order-10042 hook_id=24360216 item_id=3276908608 item_revision_id=0 type=item.create";
    assert_eq!(says(&trigger), usual);
    let request = &trigger.request;
    assert_eq!((&*request.method, &*request.path), ("POST", PATH));
    assert_eq!(trigger.target, None);
    assert!(app.windows.is_empty());
}

#[test]
fn typing_chooses_the_type_whose_parameters_then_stand_below() {
    let mut app = empty();
    press(&mut app, "t c o m", 0);
    let form = screen_text(&app);
    assert!(
        form.contains("comment.create") && form.contains("comment_id"),
        "{form}"
    );
    assert!(!form.contains("item_revision_id"), "{form}");
    let usual = "comment_id=1489203375 hook_id=24360219 item_id=3276908608 type=comment.create";
    assert_eq!(sends(&mut app), usual);
}

#[test]
fn what_was_sent_last_stays_for_every_type_that_has_it() {
    let mut app = empty();
    press(
        &mut app,
        "t tab ctrl-u / i n tab 4 0 0 0 tab ctrl-u 5 tab tab ctrl-u",
        0,
    );
    let trigger = send_form(&mut app).unwrap();
    assert_eq!(trigger.target, "4000".parse().ok());
    assert_eq!(trigger.request.path, "/in");
    let said = "hook_id=24360216 item_id=5 item_revision_id=0 type=item.create";
    assert_eq!(says(&trigger), said);

    press(&mut app, "t", 0);
    assert_eq!(send_form(&mut app).as_ref(), Some(&trigger));
    press(&mut app, "t u p d", 0);
    let trigger = send_form(&mut app).unwrap();
    let said = "hook_id=24360217 item_id=5 item_revision_id=7 type=item.update";
    assert_eq!(
        (says(&trigger), &*trigger.request.path),
        (said.to_owned(), "/in")
    );
}

#[test]
fn what_was_typed_stays_while_types_are_tried() {
    let mut app = empty();
    press(&mut app, "t tab tab tab ctrl-u 5 up up up t a s k", 0);
    assert!(screen_text(&app).contains("task_id"));
    press(&mut app, "i t e m . u", 0);
    let said = "hook_id=24360217 item_id=5 item_revision_id=7 type=item.update";
    assert_eq!(sends(&mut app), said);

    press(&mut app, "t tab tab tab ctrl-u 6 up up up i t e m . d", 0);
    let said = "hook_id=24360218 item_id=6 item_revision_id=9 type=item.delete";
    assert_eq!(sends(&mut app), said);
}

#[test]
fn the_selected_event_is_offered_at_its_next_revision() {
    let body =
        "env=a+b&item_id=47&item_revision_id=8&external_id=BUG-17&type=item.update&hook_id=9";
    let mut app = selecting(body);
    press(&mut app, "t", 9);
    let said =
        "env=a b external_id=BUG-17 hook_id=9 item_id=47 item_revision_id=9 type=item.update";
    assert_eq!(sends(&mut app), said);

    // Another type shares the common values. It has another hook, and a new
    // item starts at revision 0.
    let mut app = selecting(body);
    press(&mut app, "t i t e m . c", 9);
    let said = "external_id=BUG-17 hook_id=24360216 item_id=47 item_revision_id=0 type=item.create";
    assert_eq!(sends(&mut app), said);
}

#[test]
fn what_was_sent_last_goes_before_the_selected_event() {
    let mut app = selecting("item_id=47&item_revision_id=8&type=item.update&hook_id=9");
    press(&mut app, "t tab tab tab ctrl-u 5", 9);
    send_form(&mut app).unwrap();
    press(&mut app, "t", 9);
    let said = "hook_id=9 item_id=5 item_revision_id=9 type=item.update";
    assert_eq!(sends(&mut app), said);
}

#[test]
fn another_type_is_typed_and_more_parameters_are_words() {
    let mut app = empty();
    press(&mut app, "t left tab tab tab", 0);
    types(&mut app, "item.archive");
    press(&mut app, "tab tab", 0);
    types(&mut app, r#"item_id=5 tag="very urgent" tag=b"#);
    let said = "item_id=5 tag=very urgent tag=b type=item.archive";
    assert_eq!(sends(&mut app), said);

    press(&mut app, "t", 0);
    assert_eq!(sends(&mut app), said, "it stays too");
}

#[test]
fn a_type_that_this_version_does_not_know_is_offered_again() {
    let mut app = selecting("type=item.archive&item_id=5&hook_id=9");
    press(&mut app, "t", 9);
    assert_eq!(sends(&mut app), "hook_id=9 item_id=5 type=item.archive");
}

#[test]
fn what_cannot_be_is_told_and_nothing_is_sent() {
    for (keys, told) in [
        ("t left", "the type is missing"),
        ("t up x", "\"x\" is not a parameter"),
        ("t tab tab f t p : / / x", "try 3000"),
        ("t tab é", "is not a path"),
    ] {
        let mut app = empty();
        press(&mut app, keys, 0);
        assert_eq!(send_form(&mut app), None, "{keys}");
        let form = screen_text(&app);
        assert!(form.contains(told), "{form}");
    }
}

#[test]
fn without_a_local_service_one_has_to_be_named() {
    let mut app = empty();
    let target = None;
    let status = Status { target, ..status() };
    app.update(Message::Status(Box::new(status)));
    press(&mut app, "t", 0);
    assert_eq!(send_form(&mut app), None);
    assert!(
        screen_text(&app).contains("there is no local service"),
        "{}",
        screen_text(&app)
    );

    press(&mut app, "tab tab 4 0 0 0", 0);
    assert_eq!(send_form(&mut app).unwrap().target, "4000".parse().ok());
}

#[test]
fn what_came_of_it_is_told_and_the_list_goes_to_it() {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "j j", 500);
    assert!(!app.list.follows());
    press(&mut app, "t", 500);
    send_form(&mut app).unwrap();
    assert!(app.list.follows());

    let (refused, answered) = (attempts(501).remove(0), attempts(501).remove(1));
    assert!(matches!(refused.outcome, Outcome::Failed { .. }));
    let told = |attempt: Attempt| TriggerResult {
        event: id(501),
        attempt,
    };
    for (result, text) in [
        (Ok(told(answered)), "Sent 01K9…000N: ✓ 200 in 38 ms"),
        (Ok(told(refused)), "connection refused"),
        (
            Err("the disk is full".to_owned()),
            "Cannot send it: the disk is full",
        ),
    ] {
        let result = result.map(Box::new);
        app.update(Message::Answer(FeatureAnswer::Trigger(
            TriggerAnswer::Triggered { result },
        )));
        let toast = app.toasts.iter().next_back().unwrap();
        let text = text.replace("01K9…000N", &words::short_id(id(501)));
        assert!(toast.text.as_str().contains(&text), "{:?}", toast.text);
    }
}

#[test]
fn what_was_captured_is_shown_and_not_obeyed() {
    let long = "9".repeat(2_000);
    let body = format!("type=item.update&item_id=%1B[31m&external_id={long}&x=%07");
    let mut app = selecting(&body);
    press(&mut app, "t", 9);
    for cell in frame(&app).content() {
        assert!(
            !cell.symbol().chars().any(char::is_control),
            "{:?}",
            cell.symbol()
        );
    }
    // Values that do not fit in a field are not offered.
    let sent = sends(&mut app);
    assert!(!sent.contains(&long) && sent.contains("x=\u{7}"), "{sent}");
}
