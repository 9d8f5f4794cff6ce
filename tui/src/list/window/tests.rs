//! Tests of which rows are loaded and requested, with a history that is a set of positions.

use proptest::prelude::*;

use super::*;
use crate::testing::row;

fn page(positions: impl IntoIterator<Item = i64>) -> ListPage {
    positions.into_iter().map(row).collect::<Vec<_>>().into()
}

fn positions(window: &RowWindow) -> Vec<i64> {
    window.rows().map(|row| row.position().0).collect()
}

/// Returns the answer of a history with these `events`.
fn answer(events: &BTreeSet<i64>, anchor: Anchor, limit: usize) -> ListPage {
    let mut found: Vec<i64> = match anchor {
        Anchor::Newest => events.iter().rev().take(limit).copied().collect(),
        Anchor::Before(position) => events
            .range(..position.0)
            .rev()
            .take(limit)
            .copied()
            .collect(),
        Anchor::After(position) => {
            let above = events
                .range(position.0..)
                .filter(|event| **event != position.0);
            above.take(limit).copied().collect()
        }
        Anchor::Around(_) => unreachable!(),
    };
    found.sort_unstable_by(|a, b| b.cmp(a));
    page(found)
}

#[test]
fn a_page_that_touches_the_window_extends_it() {
    let mut window = RowWindow::default();
    window.merge(Anchor::Newest, 3, page([9, 8, 7]));
    window.merge(Anchor::Before(Position(7)), 3, page([6, 5, 4]));
    assert_eq!(positions(&window), [9, 8, 7, 6, 5, 4]);
    window.merge(Anchor::Before(Position(4)), 3, page([2]));
    assert_eq!(positions(&window), [9, 8, 7, 6, 5, 4, 2]);
    assert!(window.reaches_oldest() && window.reaches_newest());
}

#[test]
fn a_page_beyond_a_gap_replaces_the_window() {
    let mut window = RowWindow::default();
    window.merge(Anchor::Newest, 3, page([9, 8, 7]));
    window.on_appended(Position(99));
    window.merge(Anchor::Newest, 3, page([99, 98, 97]));
    assert_eq!(positions(&window), [99, 98, 97]);
    assert!(!window.reaches_oldest());
}

#[test]
fn rows_that_are_gone_leave_with_the_page_that_lacks_them() {
    let mut window = RowWindow::default();
    window.merge(Anchor::Newest, 9, page([9, 8, 7]));
    window.on_touched(Position(8));
    assert_eq!(
        window.next_anchor(false, 0, 3),
        Some(Anchor::Before(Position(9)))
    );
    window.merge(Anchor::Before(Position(9)), 9, page([7]));
    assert_eq!(positions(&window), [9, 7]);
    assert_eq!(window.next_anchor(false, 0, 3), None);
}

#[test]
fn the_next_page_is_wanted_before_the_screen_reaches_the_edge() {
    let mut window = RowWindow::default();
    assert_eq!(window.next_anchor(false, 0, 20), Some(Anchor::Newest));
    window.merge(Anchor::Newest, PAGE, page((1_000..1_256).rev()));
    assert_eq!(window.next_anchor(false, 0, 20), None);
    assert_eq!(
        window.next_anchor(false, 200, 20),
        Some(Anchor::Before(Position(1_000)))
    );
    window.on_appended(Position(1_256));
    assert_eq!(
        window.next_anchor(false, 0, 20),
        Some(Anchor::After(Position(1_255)))
    );
    assert_eq!(window.next_anchor(true, 0, 20), Some(Anchor::Newest));
}

/// Returns a row that represents all events from `first` to `last`.
fn burst(first: i64, last: i64) -> HistoryRow {
    let mut row = row(last);
    row.burst = Some(crate::testing::burst(first, last));
    row.into()
}

#[test]
fn a_burst_that_has_grown_takes_the_place_of_what_it_was() {
    let mut window = RowWindow::default();
    window.merge(Anchor::Newest, 9, vec![burst(3, 40), row(2).into()].into());
    window.on_appended(Position(60));
    assert_eq!(
        window.next_anchor(false, 0, 5),
        Some(Anchor::After(Position(40)))
    );
    window.merge(
        Anchor::After(Position(40)),
        9,
        vec![row(60).into(), burst(3, 59)].into(),
    );
    assert_eq!(positions(&window), [60, 59, 2]);
    assert_eq!(window.nearest(Position(17)), Some(1), "within the burst");
}

#[test]
fn rows_that_became_a_burst_are_one_row_from_below_and_from_above() {
    for anchor in [Anchor::After(Position(31)), Anchor::Before(Position(31))] {
        let mut window = RowWindow::default();
        window.merge(Anchor::Newest, 2, page([32, 31]));
        window.merge(anchor, 9, vec![burst(3, 40), row(2).into()].into());
        assert_eq!(positions(&window), [40, 2], "{anchor:?}");
    }
}

#[test]
fn an_event_within_a_burst_that_changed_has_its_row_read_again() {
    let mut window = RowWindow::default();
    window.merge(Anchor::Newest, 9, vec![burst(3, 40), row(2).into()].into());
    window.on_touched(Position(17));
    let wanted = window.next_anchor(false, 0, 5);
    assert_eq!(wanted, Some(Anchor::Before(Position(41))));
}

/// Returns a page whose search stopped at `older`.
fn page_stopped_at(positions: impl IntoIterator<Item = i64>, older: i64, newest: i64) -> ListPage {
    ListPage {
        older: Some(Position(older)),
        newest: Position(newest),
        ..page(positions)
    }
}

#[test]
fn a_search_goes_on_where_it_stopped() {
    let mut window = RowWindow::default();
    window.merge(Anchor::Newest, PAGE, page_stopped_at([], 90_000, 100_000));
    let goes_on = Some(Anchor::Before(Position(90_001)));
    assert_eq!(window.next_anchor(false, 0, 20), goes_on);
    window.merge(
        Anchor::Before(Position(90_001)),
        PAGE,
        page_stopped_at([85_000], 80_000, 100_000),
    );
    let goes_on = Some(Anchor::Before(Position(80_001)));
    assert_eq!(window.next_anchor(false, 0, 20), goes_on);
    window.merge(Anchor::Before(Position(80_001)), PAGE, page([7]));
    assert_eq!(positions(&window), [85_000, 7]);
    assert_eq!(window.next_anchor(true, 0, 20), None);
}

#[test]
fn what_was_passed_over_is_not_searched_again_for_each_new_event() {
    let mut window = RowWindow::default();
    let rare = ListPage {
        newest: Position(100_000),
        ..page([7])
    };
    window.merge(Anchor::Newest, PAGE, rare);
    window.on_appended(Position(100_003));
    let newer = Some(Anchor::After(Position(100_000)));
    assert_eq!(window.next_anchor(true, 0, 20), newer);
}

#[test]
fn a_new_event_that_changes_is_looked_at_again() {
    let mut window = RowWindow::default();
    let rare = ListPage {
        newest: Position(100_000),
        ..page([7])
    };
    window.merge(Anchor::Newest, PAGE, rare);
    window.on_touched(Position(99_999));
    let newer = Some(Anchor::After(Position(99_998)));
    assert_eq!(window.next_anchor(true, 0, 20), newer);
}

proptest! {
    #[test]
    fn following_what_is_wanted_ends_with_what_the_history_holds(
        events in proptest::collection::btree_set(0_i64..3_000, 0..600),
        later in proptest::collection::btree_set(3_000_i64..4_000, 0..300),
        limit in 1_usize..80,
        first in 0_usize..200,
        follow: bool,
    ) {
        let mut window = RowWindow::default();
        let mut history = events;
        for round in 0..2 {
            for _ in 0..2_000 {
                let Some(anchor) = window.next_anchor(follow, first, 20) else { break };
                window.merge(anchor, limit, answer(&history, anchor, limit));
                window.trim(first);
            }
            prop_assert_eq!(window.next_anchor(follow, first, 20), None);
            let loaded = positions(&window);
            if let (Some(&newest), Some(&oldest)) = (loaded.first(), loaded.last()) {
                let held: Vec<i64> = history.range(oldest..=newest).rev().copied().collect();
                prop_assert_eq!(loaded, held);
            } else {
                prop_assert!(history.is_empty());
            }
            if round == 0 {
                history.extend(&later);
                if let Some(through) = later.last() {
                    window.on_appended(Position(*through));
                }
            }
        }
    }
}
