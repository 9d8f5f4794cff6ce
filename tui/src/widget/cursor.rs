//! The cursor of a table: how keys move it, and which rows are shown around it.

use crate::keymap::Action;

/// Returns the row to which an action moves the cursor, in a table of `rows` rows of which `height`
/// are shown; `None` if the action does not move it.
pub(crate) fn step(action: Action, cursor: usize, rows: usize, height: usize) -> Option<usize> {
    let last = rows.saturating_sub(1);
    let moved = match action {
        Action::Down => cursor + 1,
        Action::Up => cursor.saturating_sub(1),
        Action::PageDown => cursor + height,
        Action::PageUp => cursor.saturating_sub(height),
        Action::HalfDown => cursor + height.div_ceil(2),
        Action::HalfUp => cursor.saturating_sub(height.div_ceil(2)),
        Action::Top => 0,
        Action::Bottom => last,
        _ => return None,
    };
    Some(moved.min(last))
}

/// Returns the first row to show: the row closest to `top` with which the
/// cursor is among the `height` rows.
pub(crate) fn first(top: usize, cursor: usize, height: usize) -> usize {
    let least = (cursor + 1).saturating_sub(height);
    top.clamp(least, cursor.max(least))
}

/// Returns the row on a line of a window, whose first line is the heading. `first` is the first of
/// the `height` rows that are shown.
pub(crate) fn clicked_row(line: usize, first: usize, rows: usize, height: usize) -> Option<usize> {
    let line = line.checked_sub(1).filter(|line| *line < height)?;
    Some(first + line).filter(|row| *row < rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_cursor_is_on_a_row_and_its_row_is_shown(
            keys in prop::collection::vec(0..8_usize, 0..40),
            rows in 0..50_usize,
            height in 1..20_usize,
        ) {
            use Action::{Bottom, Down, HalfDown, HalfUp, PageDown, PageUp, Top, Up};
            let (mut cursor, mut top) = (0, 0);
            for key in keys {
                let action = [Down, Up, PageDown, PageUp, HalfDown, HalfUp, Top, Bottom][key];
                cursor = step(action, cursor, rows, height).unwrap();
                top = first(top, cursor, height);
                prop_assert!(cursor < rows.max(1));
                prop_assert!((top..top + height).contains(&cursor));
            }
        }
    }

    #[test]
    fn a_click_finds_a_row_that_is_shown_or_none() {
        for (line, row) in [(0, None), (1, Some(4)), (3, Some(6)), (4, None)] {
            assert_eq!(clicked_row(line, 4, 9, 3), row, "line {line}");
        }
        assert_eq!(clicked_row(3, 4, 6, 3), None, "there is no such row");
    }

    #[test]
    fn what_is_no_move_leaves_it_to_others() {
        assert_eq!(step(Action::Quit, 3, 9, 5), None);
    }
}
