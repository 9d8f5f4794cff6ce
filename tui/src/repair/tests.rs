//! Tests of gaps and the repair without a terminal: what keys do on a gap, which
//! notices appear, and what is requested.

use jiff::{SignedDuration, Timestamp};
use podtap_agent::EventId;
use podtap_agent::history::{HistoryGap, HistoryRow, Incident};
use podtap_agent::repair::{LostEvent, RepairReport};
use podtap_podio::EventType;

use crate::app::App;
use crate::changes::Changes;
use crate::effect::Effect;
use crate::list::samples::with_rows;
use crate::message::{FeatureAnswer, Message};
use crate::repair::{RepairAnswer, RepairEffect};
use crate::testing::{frame, gap, key, now, press, row, send_form, shows, text};

fn around_a_gap() -> Vec<HistoryRow> {
    vec![row(11).into(), HistoryRow::Gap(gap(10)), row(9).into()]
}

#[test]
fn on_a_gap_keys_that_need_an_event_say_so_and_send_nothing() {
    for keys in ["r", "e", "w", "o", "T", "L", ";", "m", "d", "c"] {
        let mut app = with_rows(&around_a_gap());
        app.update(key("j"));
        assert_eq!(app.list.selected_event(), None);
        assert!(app.list.selected_gap().is_some());
        let effects = app.update(key(keys));
        assert_eq!(effects, [Effect::Draw], "{keys}");
        assert!(shows(&app, "A gap holds no event: P looks"), "{keys}");
        assert_eq!(app.list.marked_count(), 0, "{keys}");
    }
}

#[test]
fn a_gap_is_passed_by_the_cursor_and_by_ranges_and_what_is_marked_can_be_sent_from_it() {
    let mut app = with_rows(&around_a_gap());
    for keys in ["v", "j", "j"] {
        app.update(key(keys));
    }
    assert_eq!(app.list.range(), Some(2), "the gap is not counted");
    app.update(key("v"));
    assert_eq!(app.list.marked_events(), [row(9).id, row(11).id]);
    app.update(key("k"));
    assert!(app.list.selected_gap().is_some());
    app.update(key("r"));
    assert!(shows(&app, "Send 2 marked events again"));
}

#[test]
fn enter_shows_what_is_known_of_a_gap() {
    let mut app = with_rows(&around_a_gap());
    for keys in ["j", "enter"] {
        app.update(key(keys));
    }
    let shown = text(&frame(&app));
    for wanted in [
        "7 events (10 to 16) were removed by the relay",
        "how many    7",
        "there is nothing to",
        "2026-11-23T11:44:37Z",
    ] {
        assert!(shown.contains(wanted), "{wanted} in\n{shown}");
    }
}

#[test]
fn a_gap_is_told_with_its_key_once_also_where_it_was_found_before_the_first_rows() {
    let told = "; P looks for lost events of items";
    let mut found = gap(12);
    found.found_at = now();
    let rows = [HistoryRow::Gap(found.clone()), row(11).into()];
    assert!(shows(&with_rows(&rows), told));

    let old = HistoryGap {
        found_at: now() - SignedDuration::from_mins(2),
        ..found.clone()
    };
    let mut app = with_rows(&[HistoryRow::Gap(old), row(11).into()]);
    assert!(!shows(&app, told), "that is yesterday's news");

    let changes = Changes {
        incidents: vec![found.incident],
        ..Changes::default()
    };
    app.update(Message::Changed(changes));
    assert!(shows(&app, told));
}

fn requested_range(app: &mut App) -> (Timestamp, Timestamp, bool) {
    match send_form(app).as_slice() {
        [
            Effect::Repair(RepairEffect::Look {
                since,
                until,
                dry_run,
            }),
        ] => (*since, *until, *dry_run),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_repair_begins_with_the_selected_gap_else_the_outage_that_was_told_else_a_day() {
    let until = now() - SignedDuration::from_mins(1);
    let mut app = with_rows(&around_a_gap());
    app.update(key("P"));
    let day = now() - SignedDuration::from_hours(24);
    assert_eq!(requested_range(&mut app), (day, until, false));

    let since: Timestamp = "2026-11-20T08:00:00Z".parse().unwrap();
    let outage = Incident::LinkOutage {
        since,
        until: now(),
    };
    let changes = Changes {
        incidents: vec![outage],
        ..Changes::default()
    };
    app.update(Message::Changed(changes));
    app.update(key("P"));
    assert_eq!(requested_range(&mut app), (since, until, false));

    app.update(key("j"));
    for keys in ["P", "tab", "right"] {
        app.update(key(keys));
    }
    let since: Timestamp = "2026-11-23T11:44:37Z".parse().unwrap();
    assert_eq!(requested_range(&mut app), (since, until, true));
}

#[test]
fn what_cannot_be_a_time_is_said_and_what_was_typed_stays() {
    let mut app = with_rows(&around_a_gap());
    app.update(key("P"));
    for (typed, said) in [("soon", "try 10m"), ("10s", "may still come")] {
        app.update(key("ctrl-u"));
        app.update(Message::Paste(typed.to_owned()));
        assert_eq!(send_form(&mut app), []);
        assert!(shows(&app, said) && shows(&app, typed), "{typed}");
    }
}

#[test]
fn what_was_found_is_shown_and_a_failure_opens_the_form_again() {
    let mut app = with_rows(&around_a_gap());
    app.update(key("P"));
    requested_range(&mut app);
    let result = Err("Podio credentials are required".to_owned());
    let answer = RepairAnswer::Looked {
        dry_run: false,
        result,
    };
    app.update(Message::Answer(FeatureAnswer::Repair(answer)));
    assert!(shows(&app, "Podio credentials are required") && shows(&app, "Changes since"));
    requested_range(&mut app);
    let lost = LostEvent {
        id: EventId::from_bytes([1; 16]),
        event: EventType::ItemUpdate,
        item_id: 4_711,
        revision: 8,
        hook_id: 7,
        made_at: now(),
        by: "Ada\u{1b}[2J".to_owned(),
        by_hand: false,
    };
    let repaired = RepairReport {
        since: now(),
        until: now(),
        lost: vec![lost],
        items: 3,
        hooks: 1,
        unfinished: vec!["the budget of the hour is used up".to_owned()],
    };
    let answer = RepairAnswer::Looked {
        dry_run: false,
        result: Ok(Box::new(repaired)),
    };
    app.update(Message::Answer(FeatureAnswer::Repair(answer)));
    let shown = text(&frame(&app));
    for wanted in [
        "1 event of 3 changed items never arrived. They are in the history now.",
        "item.update  item 4711 r8  by Ada␛[2J",
        "hook=false looks the same",
        "were left out, because their events may still arrive",
        "the budget of the hour is used up",
    ] {
        assert!(shown.contains(wanted), "{wanted} in\n{shown}");
    }
    press(&mut app, "esc", 0);
    assert!(!shows(&app, "Lost events"));
}
