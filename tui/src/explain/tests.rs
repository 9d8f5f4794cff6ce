//! Tests of how Podio's answers and differences are shown.

use crate::app::App;
use crate::compare::CompareAnswer;
use crate::explain::ExplainAnswer;
use crate::line::Line;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, id, now, press, settle, text};
use crate::theme::Role;
use podtap_agent::Explanation;

fn explained_on(width: u16, height: u16) -> App {
    let mut app = app(width, height);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "w", 500);
    assert!(text(&frame(&app)).contains("Asking Podio"));
    let explanation = Explanation {
        title: Some("Login fails on Safari".to_owned()),
        ..Explanation::default()
    };
    let (id, result) = (id(500), Ok(Box::new(explanation)));
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Explain(ExplainAnswer::Explained {
            id,
            result,
        })),
        500,
    );
    app
}

#[test]
fn what_podio_told_is_seen_on_every_screen_and_stays_with_its_event() {
    for (width, height) in [(60, 15), (120, 40)] {
        let mut app = explained_on(width, height);
        let shown = text(&frame(&app));
        assert!(shown.contains("Login fails on Safari"), "{shown}");
        assert!(!shown.contains("Asking Podio"), "{shown}");
        settle(&mut app, Message::Resize((100, 30).into()), 500);
        assert!(text(&frame(&app)).contains("Login fails on Safari"));
        press(&mut app, "esc j k", 500);
        let shown = text(&frame(&app));
        assert!(!shown.contains("Login fails"), "{shown}");
    }
}

#[test]
fn asking_is_said_until_the_answer_is_there() {
    let mut app = app(120, 40);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "w", 500);
    assert!(text(&frame(&app)).contains("Asking Podio"));
    let (id, result) = (id(500), Ok(Box::default()));
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Explain(ExplainAnswer::Explained {
            id,
            result,
        })),
        500,
    );
    assert!(!text(&frame(&app)).contains("Asking Podio"));
}

#[test]
fn a_long_notice_is_shown_to_its_end_on_a_narrow_screen() {
    let mut app = app(60, 15);
    settle(&mut app, Message::Tick(now()), 500);
    let error = "Podio cannot be asked: no credentials; run `podtap login`";
    let (id, result) = (id(500), Err(error.to_owned()));
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Explain(ExplainAnswer::Explained {
            id,
            result,
        })),
        500,
    );
    let shown = text(&frame(&app));
    let words: Vec<&str> = shown.split(['│', ' ', '\n']).collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    assert!(words.join(" ").contains("run `podtap login`"), "{shown}");
    assert!(shown.contains("asks again"), "{shown}");
}

#[test]
fn an_answer_for_an_event_that_is_no_longer_selected_shows_nothing() {
    let mut app = app(120, 40);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "j", 500);
    let lines = vec![Line::of(Role::Plain, "difference")];
    let (id, result) = (id(500), Ok(lines));
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Compare(CompareAnswer::Compared {
            id,
            result,
        })),
        500,
    );
    assert!(!text(&frame(&app)).contains("difference"));
}
