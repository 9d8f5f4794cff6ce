//! Tests of what the screen shows and keeps while a person replays, marks,
//! compares, searches and explains events.

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use podtap_agent::history::Position;

use super::tests::settled_app;
use super::*;
use crate::command::Slot;
use crate::compare::CompareEffect;
use crate::detail::DetailAnswer;
use crate::detail::DetailEffect;
use crate::explain::ExplainAnswer;
use crate::message::FeatureAnswer;
use crate::replay::ReplayAnswer;
use crate::testing::{app, attempts, id, key, now, press, settle, shows};

#[test]
fn while_events_are_sent_again_stop_is_offered_and_quitting_asks() {
    let mut app = settled_app();
    press(&mut app, "m m m r enter", 500);
    assert!(footer(&app).contains("s stop"), "{}", footer(&app));
    assert!(!app.update(key("q")).contains(&Effect::Quit));
    assert!(shows(&app, "3 of 3 events have not been sent again yet"));
    press(&mut app, "esc", 500);
    assert!(app.windows.is_empty() && app.replays.batch().is_some());
    press(&mut app, "q", 500);
    assert!(app.update(key("enter")).contains(&Effect::Quit));
}

#[test]
fn what_was_stopped_neither_offers_stop_nor_asks_before_quitting() {
    let mut app = settled_app();
    press(&mut app, "m m m r enter s", 500);
    for position in 498..=500 {
        let (id, result) = (id(position), Err("refused".to_owned()));
        app.update(Message::Answer(FeatureAnswer::Replay(
            ReplayAnswer::Replayed { id, result },
        )));
    }
    assert!(!footer(&app).contains("s stop"), "{}", footer(&app));
    assert!(app.update(key("q")).contains(&Effect::Quit));
}

#[test]
fn marks_stay_after_a_replay_until_they_are_taken_away() {
    let mut app = settled_app();
    press(&mut app, "m m r enter", 500);
    for position in 499..=500 {
        let (id, result) = (id(position), Ok(Box::new(attempts(position).remove(1))));
        settle(
            &mut app,
            Message::Answer(FeatureAnswer::Replay(ReplayAnswer::Replayed { id, result })),
            500,
        );
    }
    assert!(app.replays.batch().is_none(), "both have ended");
    assert_eq!(app.list.marked_events(), [id(499), id(500)]);
    press(&mut app, "u", 500);
    assert_eq!(app.list.marked_events(), []);
}

#[test]
fn each_attempt_has_its_answer_and_is_compared_with_the_one_before() {
    let mut app = settled_app();
    press(&mut app, "enter 4", 500);
    assert!(shows(&app, "attempt 2 of 2") && shows(&app, "✓ 200"));
    press(&mut app, "[", 500);
    assert!(shows(&app, "attempt 1 of 2") && shows(&app, "✗ connection refused"));
    press(&mut app, "c", 500);
    assert!(shows(&app, "There is no earlier answer to compare with"));
    press(&mut app, "]", 500);
    assert!(shows(&app, "attempt 2 of 2"));
    let (id, number) = (id(500), 2);
    let compared = Effect::Compare(CompareEffect::CompareAnswers { id, number });
    assert!(app.update(key("c")).contains(&compared));
}

#[test]
fn an_edited_request_is_shown_with_the_attempt_that_sent_it() {
    let mut app = app(100, 30);
    for pressed in ["", "enter", "3", "]", "[", "["] {
        let mut messages = match pressed {
            "" => vec![Message::Tick(now())],
            pressed => vec![key(pressed)],
        };
        while let Some(message) = messages.pop() {
            let answers = app.update(message).into_iter().filter_map(edited_once);
            messages.extend(answers.map(Message::Answer));
        }
        match pressed {
            "]" => assert!(shows(&app, "As it was edited for attempt 2")),
            "[" => assert!(shows(&app, "Attempt 2 sent an edited one")),
            _ => {}
        }
        assert_eq!(shows(&app, "/edited/path"), pressed == "]", "{pressed}");
    }
}

/// Answers as a history in which the second attempt of each event sent an
/// edited request with another path.
fn edited_once(effect: Effect) -> Option<FeatureAnswer> {
    let Effect::Detail(DetailEffect::LoadEvent {
        generation,
        options,
        ..
    }) = effect
    else {
        return crate::testing::answer(effect, 500);
    };
    let (event, mut attempts) = (crate::testing::event(500), attempts(500));
    attempts[1].edited = Some(podtap_agent::history::EditedRequest {
        method: "POST".to_owned(),
        path: "/edited/path".to_owned(),
        headers: event.request.headers.clone(),
        body: event.request.body.clone(),
    });
    let full = crate::detail::FullEvent {
        event,
        attempts,
        explanation: None,
    };
    let opened = crate::detail::OpenEvent::new(full, options, &TimeZone::UTC);
    let result = Ok(Some(Box::new(opened)));
    Some(FeatureAnswer::Detail(DetailAnswer::Event {
        generation,
        result,
    }))
}

#[test]
fn two_events_are_compared_by_name_and_without_the_editors_comments() {
    let mut app = settled_app();
    press(&mut app, "m", 500);
    let effects = app.update(key("d"));
    let named = effects.iter().find_map(|effect| match effect {
        Effect::Compare(CompareEffect::Compare { one, other }) => {
            Some((one.clone(), other.clone()))
        }
        _ => None,
    });
    let (one, other) = named.unwrap();
    assert_eq!((one.0, other.0), (id(500), id(499)));
    assert!(one.1.contains("item 4711 r20"), "{one:?}");
    assert!(other.1.contains("hook 90211"), "{other:?}");
    let text = podtap_agent::request_file::text(&crate::testing::event(500).request);
    assert!(!text.lines().any(|line| line.starts_with('#')), "{text}");
}

#[test]
fn help_is_there_wherever_it_is_offered() {
    for place in [
        "m m r", "R", "x", "t", ";", "y", "H", "h", "enter", "enter v",
    ] {
        let mut app = settled_app();
        press(&mut app, place, 500);
        press(&mut app, "f1", 500);
        let open = app.windows.top();
        assert!(matches!(open, Some(Modal::Help(_))), "{place}: {open:?}");
    }
    let mut app = settled_app();
    press(&mut app, "m m r ?", 500);
    assert!(matches!(app.windows.top(), Some(Modal::Help(_))));
    press(&mut app, "esc", 500);
    assert!(shows(&app, "Send 2 marked events again"));
}

#[test]
fn the_open_event_is_marked_and_that_is_told() {
    let mut app = settled_app();
    press(&mut app, "j enter m", 500);
    assert_eq!(app.list.marked_events(), [id(499)]);
    assert!(shows(&app, "Marked hook.verify hook 90211"));
    press(&mut app, "m", 500);
    assert_eq!(app.list.marked_events(), []);
    assert!(shows(&app, "Unmarked hook.verify hook 90211"));
}

#[test]
fn a_search_in_the_detail_begins_empty_and_up_brings_the_last_word() {
    let mut app = settled_app();
    press(&mut app, "enter / i t e m", 500);
    assert!(footer(&app).contains("/item") && footer(&app).contains("place"));
    press(&mut app, "enter /", 500);
    assert!(app.detail.is_finding(), "{}", footer(&app));
    assert!(
        footer(&app).ends_with("find in this tab"),
        "{}",
        footer(&app)
    );
    press(&mut app, "up", 500);
    assert!(footer(&app).contains("/item"), "{}", footer(&app));
}

#[test]
fn choosing_lines_in_the_detail_has_a_footer_of_its_own() {
    let mut app = settled_app();
    press(&mut app, "enter", 500);
    let before = footer(&app);
    press(&mut app, "v", 500);
    let chosen = footer(&app);
    assert!(chosen.contains("y copy") && chosen.contains("esc leave"));
    press(&mut app, "esc", 500);
    assert_eq!(footer(&app), before);
}

#[test]
fn a_held_screen_counts_what_is_new() {
    let mut app = settled_app();
    press(&mut app, "space", 500);
    for newest in [503, 505] {
        let appended = Some(Position(newest));
        let changes = Changes {
            appended,
            ..Changes::default()
        };
        settle(&mut app, Message::Changed(changes), newest);
    }
    assert!(shows(&app, "‖ paused · 5 new"));
    press(&mut app, "space", 505);
    assert!(!shows(&app, "paused"));
}

#[test]
fn waiting_for_podio_ends_with_esc_and_its_error_stays() {
    let mut app = settled_app();
    press(&mut app, "w", 500);
    assert!(shows(&app, "Asking Podio"));
    assert!(
        app.update(key("esc"))
            .contains(&Effect::Stop(Slot::Explanation))
    );
    assert!(!shows(&app, "Asking Podio"));

    press(&mut app, "w", 500);
    let (id, result) = (id(500), Err("no answer within 30 s".to_owned()));
    let answer = Message::Answer(FeatureAnswer::Explain(ExplainAnswer::Explained {
        id,
        result,
    }));
    settle(&mut app, answer, 500);
    for second in 1..60 {
        let later = now() + SignedDuration::from_secs(second);
        settle(&mut app, Message::Tick(later), 500);
    }
    assert!(shows(&app, "no answer within 30 s") && shows(&app, "asks again"));
}

fn footer(app: &App) -> String {
    let shown = crate::testing::text(&crate::testing::frame(app));
    shown.lines().last().unwrap_or_default().to_owned()
}
