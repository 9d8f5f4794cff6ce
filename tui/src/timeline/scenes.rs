//! Snapshots of timelines, and the samples that the tests of this folder share.

use jiff::SignedDuration;
use podtap_agent::ExplainedField;
use podtap_agent::figures::{Author, Timeline, TimelineEntry, TimelineEvent};
use podtap_agent::history::EventRow;
use podtap_podio::{ObjectKind, ObjectRef};

use super::TimelineAnswer;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, now, press, row, settle, text};

/// Returns an event of the sample object. Its revision is its position.
pub(super) fn event(position: i64) -> TimelineEntry {
    entry_by(position, None)
}

fn entry_by(position: i64, author: Option<Author>) -> TimelineEntry {
    let kind = if position == 1 {
        "item.create"
    } else {
        "item.update"
    };
    let changes = if author.is_some() && position > 1 {
        vec![ExplainedField {
            field: "Status".to_owned(),
            from: "Open".to_owned(),
            to: format!("Closed {position}"),
        }]
    } else {
        Vec::new()
    };
    let row = EventRow {
        event_type: Some(kind.to_owned()),
        object: Some(object()),
        revision: Some(position.unsigned_abs()),
        received_at: now() - SignedDuration::from_secs(400 - position * 9),
        ..row(position)
    };
    TimelineEntry::Event(Box::new(TimelineEvent {
        row,
        author,
        changes,
    }))
}

fn object() -> ObjectRef {
    ObjectRef {
        kind: ObjectKind::Item,
        id: 4_711,
    }
}

/// Returns an entry for revisions that never arrived.
pub(super) fn missing(from: u64, to: u64) -> TimelineEntry {
    TimelineEntry::Missing { from, to }
}

/// Returns the sample object's timeline.
pub(super) fn timeline(entries: Vec<TimelineEntry>) -> Timeline {
    Timeline {
        object: object(),
        title: Some("Login fails on Safari".to_owned()),
        app: Some("Bugs".to_owned()),
        entries,
        left_out: 0,
        loops: Vec::new(),
    }
}

fn by(who: &str, via: &str, own: bool) -> Author {
    Author {
        who: Some(who.to_owned()),
        via: Some(via.to_owned()),
        own: Some(own),
    }
}

#[test]
fn a_loop_is_seen_at_a_glance_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 36), (200, 60)] {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "T", 500);
        let mut entries = vec![
            entry_by(1, Some(by("Ann Smith", "Podio", false))),
            entry_by(2, Some(by("Björn Lind", "Podio", false))),
            missing(3, 5),
            entry_by(6, Some(by("Ann Smith", "Podio", false))),
        ];
        entries.extend((7..30).map(|at| entry_by(at, Some(by("Invoicing", "Invoicing", true)))));
        entries.push(event(30));
        let answer = TimelineAnswer::Loaded {
            object: object(),
            result: Ok(Box::new(timeline(entries))),
        };
        let answer = Message::Answer(FeatureAnswer::Timeline(answer));
        settle(&mut app, answer, 500);
        press(&mut app, "g", 500);
        insta::assert_snapshot!(format!("timeline_{width}x{height}"), text(&frame(&app)));
    }
}

#[test]
fn before_the_answer_it_says_so_and_what_is_no_object_has_none() {
    let mut app = app(80, 24);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "T", 500);
    assert!(text(&frame(&app)).contains("Reading what happened"));
    let result = Err("the history cannot be read".to_owned());
    let answer = TimelineAnswer::Loaded {
        object: object(),
        result,
    };
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Timeline(answer)),
        500,
    );
    assert!(text(&frame(&app)).contains("cannot be read"));

    // The event below is a hook.verify.
    press(&mut app, "esc g j", 500);
    press(&mut app, "T", 500);
    assert!(text(&frame(&app)).contains("has no object"));
}
