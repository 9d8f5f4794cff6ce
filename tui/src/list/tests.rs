//! Tests of the list's reactions to keys, changes and answers, without a terminal.

use std::time::Duration;

use podtap_agent::history::Position;

use super::window::MAX_ROWS;
use super::*;
use crate::keymap::Action;
use crate::list::ListEffect;
use crate::testing::row;

const HEIGHT: usize = 10;

/// Answers the list's requests from a history of the events `1..=events`,
/// until there are no more requests.
fn settle(list: &mut List, events: i64) {
    list.tick();
    for _ in 0..1_000 {
        match list.ask(HEIGHT) {
            None => return,
            Some(ListEffect::LoadPage {
                generation, query, ..
            }) => {
                let (low, high) = match query.anchor {
                    Anchor::Newest => (events - 255, events),
                    Anchor::Before(before) => (before.0 - 256, before.0 - 1),
                    Anchor::After(after) => (after.0.max(0) + 1, after.0.max(0) + 256),
                    Anchor::Around(around) => (around.0 - 128, around.0 + 127),
                };
                let rows: Vec<_> = (low.max(1)..=high.min(events)).rev().map(row).collect();
                list.page(generation, Ok(rows.into()));
            }
            Some(ListEffect::Count { filter }) => {
                let counted = (events.unsigned_abs(), Position(events));
                list.count(&filter, Duration::ZERO, &Ok(counted));
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the list never stops asking");
}

fn selected_position(list: &List) -> i64 {
    list.selected_event().unwrap().position.0
}

fn append_through(list: &mut List, through: i64) {
    let appended = Some(Position(through));
    list.on_change(&Changes {
        appended,
        ..Changes::default()
    });
}

#[test]
fn the_total_is_never_behind_the_rows() {
    let mut list = List::default();
    settle(&mut list, 1_000);
    assert_eq!(list.total(), Some(1_000));
    // Within a second of the last count, the list does not count again.
    for newest in 1_001..1_010 {
        append_through(&mut list, newest);
        let Some(ListEffect::LoadPage { generation, .. }) = list.ask(HEIGHT) else {
            panic!("the newest are read");
        };
        assert_eq!(list.total(), Some(u64::try_from(newest).unwrap() - 1));
        let rows: Vec<_> = (newest - 255..=newest).rev().map(row).collect();
        list.page(generation, Ok(rows.into()));
        assert_eq!(list.total(), Some(u64::try_from(newest).unwrap()));
    }
    settle(&mut list, 1_009);
    assert_eq!(list.total(), Some(1_009), "nothing is counted twice");
}

#[test]
fn the_cursor_follows_the_newest_until_it_is_moved() {
    let mut list = List::default();
    settle(&mut list, 1_000);
    assert_eq!(selected_position(&list), 1_000);

    append_through(&mut list, 1_003);
    settle(&mut list, 1_003);
    assert_eq!(selected_position(&list), 1_003);

    list.act(Action::Down, HEIGHT);
    append_through(&mut list, 1_010);
    settle(&mut list, 1_010);
    assert_eq!((selected_position(&list), list.unseen_count()), (1_002, 7));

    list.act(Action::Top, HEIGHT);
    settle(&mut list, 1_010);
    assert_eq!(
        (
            selected_position(&list),
            list.unseen_count(),
            list.follows()
        ),
        (1_010, 0, true)
    );
}

#[test]
fn the_screen_stands_still_while_events_arrive_above_it() {
    let mut list = List::default();
    settle(&mut list, 1_000);
    (0..20).for_each(|_| list.act(Action::Down, HEIGHT));
    let top = |list: &List| list.window().row(list.first(HEIGHT)).unwrap().position();
    let before = top(&list);

    append_through(&mut list, 1_050);
    settle(&mut list, 1_050);

    assert_eq!(top(&list), before);
    assert_eq!(selected_position(&list), 980);
}

#[test]
fn both_ends_of_a_large_history_are_one_key_away() {
    let mut list = List::default();
    settle(&mut list, 100_000);
    list.act(Action::Bottom, HEIGHT);
    settle(&mut list, 100_000);
    assert_eq!(selected_position(&list), 1);
    assert_eq!(list.window().len() - list.first(HEIGHT), HEIGHT);

    list.act(Action::Top, HEIGHT);
    settle(&mut list, 100_000);
    assert_eq!((selected_position(&list), list.first(HEIGHT)), (100_000, 0));
}

#[test]
fn scrolling_through_everything_meets_every_event_once() {
    let mut list = List::default();
    settle(&mut list, 3_000);
    for expected in (1..3_000).rev() {
        list.act(Action::Down, HEIGHT);
        settle(&mut list, 3_000);
        assert_eq!(selected_position(&list), expected);
        assert!(list.window().len() <= MAX_ROWS);
    }
}

#[test]
fn an_event_that_arrives_while_a_page_is_read_is_not_forgotten() {
    let mut list = List::default();
    let Some(ListEffect::LoadPage { generation, .. }) = list.ask(HEIGHT) else {
        panic!("nothing is asked");
    };
    append_through(&mut list, 11);
    list.page(
        generation,
        Ok((1..=10).rev().map(row).collect::<Vec<_>>().into()),
    );
    settle(&mut list, 11);
    assert_eq!(selected_position(&list), 11);
}

#[test]
fn a_late_answer_changes_nothing() {
    let mut list = List::default();
    settle(&mut list, 10);
    list.page(999, Ok(vec![row(77)].into()));
    assert_eq!(selected_position(&list), 10);
}

#[test]
fn after_a_failure_nothing_is_asked_until_the_next_tick() {
    let mut list = List::default();
    let Some(ListEffect::LoadPage { generation, .. }) = list.ask(HEIGHT) else {
        panic!("nothing is asked");
    };
    list.page(generation, Err("disk is gone".to_owned()));
    assert_eq!(list.ask(HEIGHT), None);
    list.tick();
    assert_ne!(list.ask(HEIGHT), None);
}

fn filter(text: &str) -> Filter {
    Filter::parse(
        text,
        crate::testing::now(),
        &podtap_agent::history::SavedFilters::default(),
    )
    .unwrap()
}

#[test]
fn another_filter_does_not_wait_for_the_page_of_the_one_before() {
    let mut list = List::default();
    settle(&mut list, 1_000);
    list.set_filter(filter("item:1"));
    let Some(ListEffect::LoadPage { generation, .. }) = list.ask(HEIGHT) else {
        panic!("nothing is asked");
    };
    assert_eq!(list.ask(HEIGHT), None);

    list.set_filter(filter("item:12"));

    let Some(ListEffect::LoadPage { query, .. }) = list.ask(HEIGHT) else {
        panic!("nothing is asked");
    };
    assert_eq!(query.filter, filter("item:12"));
    list.page(generation, Ok(vec![row(1)].into()));
    assert!(list.is_coming(), "rows of the filter before are not shown");
}

#[test]
fn the_oldest_is_looked_for_until_it_is_found() {
    let mut list = List::default();
    settle(&mut list, 1_000);
    list.set_filter(filter("item:1"));
    settle(&mut list, 1_000);
    list.act(Action::Bottom, HEIGHT);
    list.window = RowWindow::default();
    list.act(Action::Bottom, HEIGHT);
    let stopped = |newer: i64| ListPage {
        newer: Some(Position(newer)),
        newest: Position(900_000),
        ..ListPage::default()
    };
    let mut anchors = Vec::new();
    for step in 1..=3 {
        let Some(ListEffect::LoadPage {
            generation, query, ..
        }) = list.ask(HEIGHT)
        else {
            panic!("nothing is asked");
        };
        anchors.push(query.anchor);
        let page = if step < 3 {
            stopped(step * 100_000)
        } else {
            ListPage {
                newer: Some(Position(300_000)),
                ..vec![row(250_000)].into()
            }
        };
        assert!(list.is_searching(HEIGHT) || step == 1);
        list.page(generation, Ok(page));
    }
    let after = |position| Anchor::After(Position(position));
    assert_eq!(anchors, [after(i64::MIN), after(99_999), after(199_999)]);
    assert_eq!(selected_position(&list), 250_000);
}
