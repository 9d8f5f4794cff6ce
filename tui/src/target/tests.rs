//! Tests of the form without a terminal: its initial content, its requests, and what it refuses.

use podtap_agent::Target;
use podtap_agent::history::{DeliveryState, EventRow, HistoryRow, HoldReason, Insight};

use super::*;
use crate::effect::Effect;
use crate::keymap::KeyPress;
use crate::list::samples::with_rows;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, key, now, press, row, settle, status, text};

fn enter(app: &mut crate::app::App) -> Option<TargetEffect> {
    let enter: KeyPress = "enter".parse().unwrap();
    let effects = app.update(Message::Key(enter.into()));
    effects.into_iter().find_map(|effect| match effect {
        Effect::Target(effect) => Some(effect),
        _ => None,
    })
}

fn open_form(target: Option<&str>) -> crate::app::App {
    let mut app = app(100, 30);
    settle(&mut app, Message::Tick(now()), 0);
    let mut status = status();
    status.target = target.map(|target| target.parse().unwrap());
    status.routes = std::sync::Arc::new(podtap_agent::routes::Routes::to(status.target.clone()));
    settle(&mut app, Message::Status(Box::new(status)), 0);
    press(&mut app, "S", 0);
    app
}

fn types(app: &mut crate::app::App, text: &str) {
    press(app, "ctrl-u", 0);
    app.update(Message::Paste(text.to_owned()));
}

#[test]
fn the_form_holds_the_target_of_now_and_asks_for_another() {
    let mut app = open_form(Some("3000"));
    let shown = text(&frame(&app));
    assert!(shown.contains("localhost:3000"), "{shown}");
    types(&mut app, "4000/hook");
    let target: Target = "4000/hook".parse().unwrap();
    let asked = TargetEffect::Set {
        target: Some(target.clone()),
        with_held: true,
    };
    assert_eq!(enter(&mut app), Some(asked));
    let result = Ok(Some(target));
    app.update(Message::Answer(FeatureAnswer::Target(TargetAnswer::Set {
        result,
    })));
    let shown = text(&frame(&app));
    assert!(
        shown.contains("Events are delivered to localhost:4000/hook"),
        "{shown}"
    );
}

#[test]
fn held_events_may_stay_held_and_nothing_means_nowhere() {
    let mut app = open_form(Some("3000"));
    types(&mut app, "");
    press(&mut app, "tab", 0);
    press(&mut app, "right", 0);
    let asked = TargetEffect::Set {
        target: None,
        with_held: false,
    };
    assert_eq!(enter(&mut app), Some(asked));
}

#[test]
fn what_is_wrong_is_said_as_for_the_flag_and_what_was_typed_stays() {
    let mut app = open_form(None);
    types(&mut app, "ftp://x");
    assert_eq!(enter(&mut app), None);
    let shown = text(&frame(&app));
    assert!(shown.contains("must begin with http"), "{shown}");
    assert!(shown.contains("ftp://x"), "{shown}");

    types(&mut app, "exec:no-such");
    assert!(enter(&mut app).is_some());
    let result = Err("there is no command `no-such`".to_owned());
    app.update(Message::Answer(FeatureAnswer::Target(TargetAnswer::Set {
        result,
    })));
    let shown = text(&frame(&app));
    assert!(shown.contains("there is no command `no-such`"), "{shown}");
    assert!(shown.contains("exec:no-such"), "{shown}");
}

#[test]
fn the_key_that_goes_to_the_newest_delivers_what_is_held_once_it_is_there() {
    let held = |position| {
        HistoryRow::from(EventRow {
            state: DeliveryState::Held,
            last: None,
            attempts: 0,
            ..row(position)
        })
    };
    let looped = |position| {
        HistoryRow::from(EventRow {
            insight: Insight {
                hold: Some(HoldReason::Loop),
                ..Insight::default()
            },
            state: DeliveryState::Held,
            last: None,
            attempts: 0,
            ..row(position)
        })
    };
    for (rows, offers) in [
        (vec![held(11), row(10).into()], true),
        (vec![looped(11), row(10).into()], false),
        (vec![row(11).into(), row(10).into()], false),
    ] {
        let mut app = with_rows(&rows);
        settle(&mut app, Message::Status(Box::new(status())), 0);
        let offered = |app: &crate::app::App| text(&frame(app)).contains("Held events");
        app.update(key("j"));
        app.update(key("F"));
        assert!(!offered(&app), "it only goes to the newest");
        app.update(key("F"));
        assert_eq!(offered(&app), offers, "{rows:?}");
    }
}
