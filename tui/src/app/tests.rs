//! What the app does with what happens, without a terminal and without a runtime.

use jiff::SignedDuration;
use podtap_agent::history::Position;

use super::*;
use crate::keymap::Key;
use crate::testing::{app, attempts, id, now, press, settle, status};

fn settled() -> App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 500);
    app
}

fn key(text: &str) -> Message {
    Message::Key(text.parse::<Key>().unwrap().into())
}

#[test]
fn the_clock_alone_is_no_reason_to_draw() {
    let mut app = settled();
    for second in 1..120 {
        let later = now() + SignedDuration::from_secs(second);
        assert_eq!(app.update(Message::Tick(later)), []);
    }
}

#[test]
fn a_status_that_is_the_same_is_no_reason_to_draw() {
    let mut app = settled();
    assert_eq!(app.update(Message::Status(Box::new(status()))), []);
    let other = Status {
        pending: 3,
        ..status()
    };
    assert_eq!(app.update(Message::Status(Box::new(other))), [Effect::Draw]);
}

#[test]
fn replay_sends_the_selected_event_and_tells_what_came_of_it() {
    let mut app = settled();
    let effects = app.update(key("r"));
    assert_eq!(
        effects,
        [
            Effect::Replay {
                id: id(500),
                target: None,
                edited: None
            },
            Effect::Draw,
        ]
    );

    let attempt = Box::new(attempts(500).remove(1));
    let answer = Answer::Replayed {
        id: id(500),
        result: Ok(attempt),
    };
    app.update(Message::Answer(answer));
    let toasts: Vec<&str> = app.toasts.iter().map(|toast| toast.text.as_str()).collect();
    assert_eq!(
        toasts,
        ["Replayed item.update item 4711 r20: ✓ 200 in 38 ms"]
    );
}

#[test]
fn quit_ends_the_list_and_steps_back_elsewhere() {
    for (before, quits) in [
        ("j", true),
        ("enter", false),
        ("?", false),
        ("enter ?", false),
    ] {
        let mut app = settled();
        press(&mut app, before, 500);
        assert_eq!(
            app.update(key("q")).contains(&Effect::Quit),
            quits,
            "{before}"
        );
    }
}

#[test]
fn while_a_filter_is_typed_characters_are_no_commands() {
    let mut app = settled();
    press(&mut app, "/ q ? r j", 500);
    assert!(app.search.is_open());
    assert_eq!(app.search.text(), "q?rj");
    assert_eq!(app.update(key("ctrl-c")), [Effect::Quit]);
}

#[test]
fn a_held_screen_catches_up_when_it_is_let_go() {
    let mut app = settled();
    press(&mut app, "space", 500);
    let appended = Some(Position(510));
    settle(
        &mut app,
        Message::Changed(Changes {
            appended,
            ..Changes::default()
        }),
        510,
    );
    let selected = |app: &App| app.list.selected().map(|row| row.position);
    assert_eq!(selected(&app), Some(Position(500)));
    press(&mut app, "space", 510);
    assert_eq!(selected(&app), Some(Position(510)));
}

#[test]
fn marked_events_are_replayed_together_once_that_is_confirmed() {
    let mut app = settled();
    press(&mut app, "m m m", 500);
    assert!(
        !app.update(key("r"))
            .iter()
            .any(|effect| matches!(effect, Effect::Replay { .. }))
    );

    let sent = |effects: Vec<Effect>| -> Vec<EventId> {
        let id = |effect| match effect {
            Effect::Replay { id, .. } => Some(id),
            _ => None,
        };
        effects.into_iter().filter_map(id).collect()
    };
    assert_eq!(sent(app.update(key("enter"))), [id(498), id(499), id(500)]);

    for position in 498..=500 {
        let result = Err("the disk is full".to_owned());
        app.update(Message::Answer(Answer::Replayed {
            id: id(position),
            result,
        }));
    }
    assert!(app.batch.is_none());
    let told = app.toasts.iter().next_back().unwrap();
    assert_eq!(told.text, "Replayed: 3 sent, 3 without an answer");
}

#[test]
fn an_edited_event_is_sent_only_after_its_difference_was_seen() {
    let mut app = settled();
    let effects = app.update(key("e"));
    let Some(Effect::Edit { id, file, before }) = effects.first().cloned() else {
        panic!("{effects:?}");
    };
    let edited = file.replace("item_id=4711", "item_id=4712");
    let answer = Answer::Edited {
        id,
        before,
        result: Ok(edited),
    };
    app.update(Message::Answer(answer));
    let shown = crate::testing::text(&crate::testing::frame(&app));
    assert!(shown.contains("item_id=4712"), "{shown}");

    let effects = app.update(key("enter"));
    let Some(Effect::Replay {
        edited: Some(edited),
        ..
    }) = effects.first()
    else {
        panic!("{effects:?}");
    };
    assert!(edited.body.windows(12).any(|part| part == b"item_id=4712"));
}

#[test]
fn the_copy_menu_copies_and_closes() {
    let mut app = settled();
    press(&mut app, "y", 500);
    let effects = app.update(key("c"));
    let Some(Effect::Copy(bytes)) = effects.first() else {
        panic!("{effects:?}");
    };
    assert!(bytes.starts_with(b"curl"), "{bytes:?}");
    assert!(app.modals().is_empty());
}

#[test]
fn the_palette_does_what_is_chosen() {
    let mut app = settled();
    press(&mut app, ": h e a l t h enter", 500);
    let shown = crate::testing::text(&crate::testing::frame(&app));
    assert!(shown.contains("Reconnects"), "{shown}");
}

#[test]
fn a_question_waits_until_a_person_has_finished_typing() {
    for (typing, leave) in [("; x", "esc"), ("/ i t e m", "esc"), (":", "esc")] {
        let mut app = settled();
        press(&mut app, typing, 500);
        let wanted = crate::effect::Wanted::Replay {
            of: None,
            target: None,
            rate: None,
        };
        let result = Ok((1..=4).rev().map(|at| (Position(at), id(at))).collect());
        settle(
            &mut app,
            Message::Answer(Answer::FoundAll { wanted, result }),
            500,
        );
        let is_sent = |it: &&Effect| matches!(it, Effect::Replay { .. });
        let effects = app.update(key("y"));
        assert_eq!(effects.iter().find(is_sent), None, "{typing}: a letter");
        assert!(app.is_typing(), "{typing}");
        assert!(!shows(&app, "Send 4 events again"), "{typing}");

        press(&mut app, leave, 500);
        assert!(shows(&app, "Send 4 events again"), "{typing}");
        let effects = app.update(key("y"));
        assert_eq!(effects.iter().filter(is_sent).count(), 4, "{typing}");
    }
}

#[test]
fn many_replays_go_on_while_the_screen_is_too_small() {
    let mut app = settled();
    press(&mut app, "m m m r", 500);
    app.update(Message::Resize((10, 3).into()));
    let effects = app.update(key("y"));
    assert!(effects.iter().any(|it| matches!(it, Effect::Replay { .. })));
}

#[test]
fn what_is_pasted_goes_into_the_palette_too() {
    let mut app = settled();
    press(&mut app, ":", 500);
    app.update(Message::Paste("health".to_owned()));
    press(&mut app, "enter", 500);
    assert!(shows(&app, "Reconnects"));
}

#[test]
fn while_events_are_sent_again_stop_is_offered_and_quitting_asks() {
    let mut app = settled();
    press(&mut app, "m m m r enter", 500);
    assert!(footer(&app).contains("s stop"), "{}", footer(&app));
    assert!(!app.update(key("q")).contains(&Effect::Quit));
    assert!(shows(&app, "3 of 3 events have not been sent again yet"));
    press(&mut app, "esc", 500);
    assert!(app.modals().is_empty() && app.batch.is_some());
    press(&mut app, "q", 500);
    assert!(app.update(key("enter")).contains(&Effect::Quit));
}

#[test]
fn what_was_stopped_neither_offers_stop_nor_asks_before_quitting() {
    let mut app = settled();
    press(&mut app, "m m m r enter s", 500);
    for position in 498..=500 {
        let (id, result) = (id(position), Err("refused".to_owned()));
        app.update(Message::Answer(Answer::Replayed { id, result }));
    }
    assert!(!footer(&app).contains("s stop"), "{}", footer(&app));
    assert!(app.update(key("q")).contains(&Effect::Quit));
}

#[test]
fn marks_stay_after_a_replay_until_they_are_taken_away() {
    let mut app = settled();
    press(&mut app, "m m r enter", 500);
    for position in 499..=500 {
        let (id, result) = (id(position), Ok(Box::new(attempts(position).remove(1))));
        settle(
            &mut app,
            Message::Answer(Answer::Replayed { id, result }),
            500,
        );
    }
    assert!(app.batch.is_none(), "both have ended");
    assert_eq!(app.list.marked(), [id(499), id(500)]);
    press(&mut app, "u", 500);
    assert_eq!(app.list.marked(), []);
}

#[test]
fn each_attempt_has_its_answer_and_is_compared_with_the_one_before() {
    let mut app = settled();
    press(&mut app, "enter 4", 500);
    assert!(shows(&app, "attempt 2 of 2") && shows(&app, "✓ 200"));
    press(&mut app, "[", 500);
    assert!(shows(&app, "attempt 1 of 2") && shows(&app, "✗ connection refused"));
    press(&mut app, "c", 500);
    assert!(shows(&app, "There is no earlier answer to compare with"));
    press(&mut app, "]", 500);
    assert!(shows(&app, "attempt 2 of 2"));
    let (id, number) = (id(500), 2);
    let compared = Effect::CompareAnswers { id, number };
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

/// Answers from a history in which the last attempt of each event sent another path.
fn edited_once(effect: Effect) -> Option<Answer> {
    let Effect::LoadEvent {
        generation, look, ..
    } = effect
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
    let story = crate::detail::Story {
        event,
        attempts,
        explanation: None,
    };
    let opened = crate::detail::Opened::new(story, look, &TimeZone::UTC);
    let result = Ok(Some(Box::new(opened)));
    Some(Answer::Event { generation, result })
}

#[test]
fn two_events_are_compared_by_name_and_without_the_editors_comments() {
    let mut app = settled();
    press(&mut app, "m", 500);
    let effects = app.update(key("d"));
    let named = effects.iter().find_map(|effect| match effect {
        Effect::Compare { one, other } => Some((one.clone(), other.clone())),
        _ => None,
    });
    let (one, other) = named.unwrap();
    assert_eq!((one.0, other.0), (id(500), id(499)));
    assert!(one.1.contains("item 4711 r20"), "{one:?}");
    assert!(other.1.contains("hook 90211"), "{other:?}");
    let text = crate::editor::text(&crate::testing::event(500).request);
    assert!(!text.lines().any(|line| line.starts_with('#')), "{text}");
}

#[test]
fn help_is_there_wherever_it_is_offered() {
    for place in [
        "m m r", "R", "x", "t", ";", "y", "H", "h", "enter", "enter v",
    ] {
        let mut app = settled();
        press(&mut app, place, 500);
        press(&mut app, "f1", 500);
        let open = app.modals().last();
        assert!(matches!(open, Some(Modal::Help(_))), "{place}: {open:?}");
    }
    let mut app = settled();
    press(&mut app, "m m r ?", 500);
    assert!(matches!(app.modals().last(), Some(Modal::Help(_))));
    press(&mut app, "esc", 500);
    assert!(shows(&app, "Send 2 marked events again"));
}

#[test]
fn the_open_event_is_marked_and_that_is_told() {
    let mut app = settled();
    press(&mut app, "j enter m", 500);
    assert_eq!(app.list.marked(), [id(499)]);
    assert!(shows(&app, "Marked hook.verify hook 90211"));
    press(&mut app, "m", 500);
    assert_eq!(app.list.marked(), []);
    assert!(shows(&app, "Unmarked hook.verify hook 90211"));
}

#[test]
fn a_search_in_the_detail_begins_empty_and_up_brings_the_last_word() {
    let mut app = settled();
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
    let mut app = settled();
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
    let mut app = settled();
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
    let mut app = settled();
    press(&mut app, "w", 500);
    assert!(shows(&app, "Asking Podio"));
    assert!(app.update(key("esc")).contains(&Effect::StopExplaining));
    assert!(!shows(&app, "Asking Podio"));

    press(&mut app, "w", 500);
    let (id, result) = (id(500), Err("no answer within 30 s".to_owned()));
    let answer = Message::Answer(Answer::Explained { id, result });
    settle(&mut app, answer, 500);
    for second in 1..60 {
        let later = now() + SignedDuration::from_secs(second);
        settle(&mut app, Message::Tick(later), 500);
    }
    assert!(shows(&app, "no answer within 30 s") && shows(&app, "asks again"));
}

fn shows(app: &App, wanted: &str) -> bool {
    crate::testing::text(&crate::testing::frame(app)).contains(wanted)
}

fn footer(app: &App) -> String {
    let shown = crate::testing::text(&crate::testing::frame(app));
    shown.lines().last().unwrap_or_default().to_owned()
}
