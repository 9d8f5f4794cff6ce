//! Tests of the app's reactions to messages, without a terminal and without a runtime.

use jiff::SignedDuration;
use podtap_agent::EventId;
use podtap_agent::history::Position;

use super::*;
use crate::edit::EditAnswer;
use crate::edit::EditorFile;
use crate::list::{FindPurpose, ListAnswer, ReplayOptions};
use crate::message::FeatureAnswer;
use crate::replay::ReplayAnswer;
use crate::replay::ReplayEffect;
use crate::testing::{app, attempts, id, key, now, press, settle, shows, status};

pub(super) fn settled_app() -> App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 500);
    app
}

#[test]
fn the_clock_alone_is_no_reason_to_draw() {
    let mut app = settled_app();
    for second in 1..120 {
        let later = now() + SignedDuration::from_secs(second);
        assert_eq!(app.update(Message::Tick(later)), []);
    }
}

#[test]
fn a_status_that_is_the_same_is_no_reason_to_draw() {
    let mut app = settled_app();
    assert_eq!(app.update(Message::Status(Box::new(status()))), []);
    let other = Status {
        pending: 3,
        ..status()
    };
    assert_eq!(app.update(Message::Status(Box::new(other))), [Effect::Draw]);
}

#[test]
fn replay_sends_the_selected_event_and_tells_what_came_of_it() {
    let mut app = settled_app();
    let effects = app.update(key("r"));
    assert_eq!(
        effects,
        [
            Effect::Replay(ReplayEffect::Replay {
                id: id(500),
                target: None,
                edited: None
            }),
            Effect::Draw,
        ]
    );

    let attempt = Box::new(attempts(500).remove(1));
    let answer = FeatureAnswer::Replay(ReplayAnswer::Replayed {
        id: id(500),
        result: Ok(attempt),
    });
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
        let mut app = settled_app();
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
    let mut app = settled_app();
    press(&mut app, "/ q ? r j", 500);
    assert!(app.search.is_open());
    assert_eq!(app.search.text(), "q?rj");
    assert_eq!(app.update(key("ctrl-c")), [Effect::Quit]);
}

#[test]
fn a_held_screen_catches_up_when_it_is_let_go() {
    let mut app = settled_app();
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
    let selected = |app: &App| app.list.selected_event().map(|row| row.position);
    assert_eq!(selected(&app), Some(Position(500)));
    press(&mut app, "space", 510);
    assert_eq!(selected(&app), Some(Position(510)));
}

#[test]
fn marked_events_are_replayed_together_once_that_is_confirmed() {
    let mut app = settled_app();
    press(&mut app, "m m m", 500);
    assert!(
        !app.update(key("r"))
            .iter()
            .any(|effect| matches!(effect, Effect::Replay(ReplayEffect::Replay { .. })))
    );

    let sent = |effects: Vec<Effect>| -> Vec<EventId> {
        let id = |effect| match effect {
            Effect::Replay(ReplayEffect::Replay { id, .. }) => Some(id),
            _ => None,
        };
        effects.into_iter().filter_map(id).collect()
    };
    assert_eq!(sent(app.update(key("enter"))), [id(498), id(499), id(500)]);

    for position in 498..=500 {
        let result = Err("the disk is full".to_owned());
        app.update(Message::Answer(FeatureAnswer::Replay(
            ReplayAnswer::Replayed {
                id: id(position),
                result,
            },
        )));
    }
    assert!(app.replays.batch().is_none());
    let told = app.toasts.iter().next_back().unwrap();
    assert_eq!(told.text, "Replayed: 3 sent, 3 without an answer");
}

#[test]
fn an_edited_event_is_sent_only_after_its_difference_was_seen() {
    let mut app = settled_app();
    let effects = app.update(key("e"));
    let Some(Effect::OpenEditor(EditorFile { id, file, before })) = effects.first().cloned() else {
        panic!("{effects:?}");
    };
    let edited = file.replace("item_id=4711", "item_id=4712");
    let answer = FeatureAnswer::Edit(EditAnswer::Edited {
        id,
        before,
        result: Ok(edited),
    });
    app.update(Message::Answer(answer));
    assert!(shows(&app, "item_id=4712"));

    let effects = app.update(key("enter"));
    let Some(Effect::Replay(ReplayEffect::Replay {
        edited: Some(edited),
        ..
    })) = effects.first()
    else {
        panic!("{effects:?}");
    };
    assert!(edited.body.windows(12).any(|part| part == b"item_id=4712"));
}

#[test]
fn the_copy_menu_copies_and_closes() {
    let mut app = settled_app();
    press(&mut app, "y", 500);
    let effects = app.update(key("c"));
    let Some(Effect::ToClipboard(bytes)) = effects.first() else {
        panic!("{effects:?}");
    };
    assert!(bytes.starts_with(b"curl"), "{bytes:?}");
    assert!(app.windows.is_empty());
}

#[test]
fn the_palette_does_what_is_chosen() {
    let mut app = settled_app();
    press(&mut app, ": h e a l t h enter", 500);
    assert!(shows(&app, "Reconnects"));
}

#[test]
fn a_question_waits_until_a_person_has_finished_typing() {
    for (typing, leave) in [("; x", "esc"), ("/ i t e m", "esc"), (":", "esc")] {
        let mut app = settled_app();
        press(&mut app, typing, 500);
        let purpose = FindPurpose::Replay(ReplayOptions {
            asks: true,
            of: None,
            target: None,
            rate: None,
        });
        let result = Ok((1..=4).rev().map(|at| (Position(at), id(at))).collect());
        settle(
            &mut app,
            Message::Answer(FeatureAnswer::List(ListAnswer::FoundAll {
                purpose,
                result,
            })),
            500,
        );
        let is_sent = |it: &&Effect| matches!(it, Effect::Replay(ReplayEffect::Replay { .. }));
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
    let mut app = settled_app();
    press(&mut app, "m m m r", 500);
    app.update(Message::Resize((10, 3).into()));
    let effects = app.update(key("y"));
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::Replay(ReplayEffect::Replay { .. })))
    );
}

#[test]
fn what_is_pasted_goes_into_the_palette_too() {
    let mut app = settled_app();
    press(&mut app, ":", 500);
    app.update(Message::Paste("health".to_owned()));
    press(&mut app, "enter", 500);
    assert!(shows(&app, "Reconnects"));
}

#[test]
fn a_table_is_left_by_escape_and_its_help_lists_its_keys() {
    for key in ["T", "p"] {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, &format!("{key} ?"), 500);
        let shown = crate::testing::text(&crate::testing::frame(&app));
        assert!(shown.contains("In a table"), "{shown}");
        press(&mut app, "esc esc", 500);
        assert!(app.windows.is_empty());
    }
}
