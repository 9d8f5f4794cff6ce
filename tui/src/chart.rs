//! Draws numbers as rows of cells: bars that grow to the right, gauges that fill up, and
//! sparklines. Their shapes differ, so that they are readable without colour.

use crate::line::Line;
use crate::theme::Role;

/// The heights of a cell in a sparkline, the lowest first.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Merges neighbouring values into sums, so that at most `cells` values remain.
pub(crate) fn merge_to_width(values: &[u64], cells: usize) -> Vec<u64> {
    let each = values.len().div_ceil(cells.max(1)).max(1);
    // The last cell always holds the newest values, and as many as any other cell.
    let first = values.len() % each;
    let (head, rest) = values.split_at(first);
    let sum = |part: &[u64]| part.iter().fold(0_u64, |sum, one| sum.saturating_add(*one));
    let head = (!head.is_empty()).then(|| sum(head));
    head.into_iter().chain(rest.chunks(each).map(sum)).collect()
}

/// Returns a row of bars, one cell per value. The highest value is a full cell, and zero is blank.
pub(crate) fn sparkline(values: &[u64]) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let level = |value: &u64| match value {
        0 => ' ',
        value => {
            let level = usize::try_from(value.saturating_mul(8).div_ceil(most)).unwrap_or(8);
            LEVELS.get(level - 1).copied().unwrap_or('█')
        }
    };
    values.iter().map(level).collect()
}

/// Returns a bar of at most `cells`, whose length is the share of `part` in `whole`. If `part` is
/// not zero, the bar has at least one cell.
pub(crate) fn bar(part: u64, whole: u64, cells: usize) -> String {
    let eighths = u128::from(part) * 8 * (cells as u128) / u128::from(whole.max(1));
    let eighths = usize::try_from(eighths)
        .unwrap_or(usize::MAX)
        .min(cells * 8);
    let (full, rest) = (eighths / 8, eighths % 8);
    let mut bar = "█".repeat(full);
    match rest {
        0 if full == 0 && part > 0 => bar.push('▏'),
        0 => {}
        rest => bar.extend(['▏', '▎', '▍', '▌', '▋', '▊', '▉'].get(rest - 1)),
    }
    bar
}

/// Returns a gauge of exactly `cells` that shows how much of a limit is used.
pub(crate) fn gauge(used: u64, limit: u64, cells: usize) -> Line {
    let role = match (used.saturating_mul(2) >= limit, used >= limit) {
        (_, true) => Role::Failed,
        (true, false) => Role::Warning,
        (false, false) => Role::Ok,
    };
    let full = u128::from(used.min(limit)) * (cells as u128) / u128::from(limit.max(1));
    let full = usize::try_from(full)
        .unwrap_or(cells)
        .max(usize::from(used > 0));
    let full = full.min(cells);
    Line::of(role, "█".repeat(full)).with(Role::Quiet, "░".repeat(cells - full))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sparkline_is_as_high_as_its_highest_and_what_is_there_is_seen() {
        assert_eq!(sparkline(&[0, 1, 50, 100]), " ▁▄█");
        assert_eq!(sparkline(&[0, 0]), "  ");
        assert_eq!(merge_to_width(&[1, 2, 3, 4, 5], 2), [3, 12]);
        assert_eq!(merge_to_width(&[1, 2, 3], 8), [1, 2, 3]);
    }

    #[test]
    fn a_gauge_changes_its_look_halfway_and_at_the_limit() {
        for (used, text, role) in [
            (0, "░░░░", Role::Ok),
            (1, "█░░░", Role::Ok),
            (100, "██░░", Role::Warning),
            (199, "███░", Role::Warning),
            (200, "████", Role::Failed),
            (900, "████", Role::Failed),
        ] {
            let gauge = gauge(used, 200, 4);
            assert_eq!(gauge.text(), text, "{used}");
            assert!(used == 0 || gauge.pieces().next().map(|(role, _)| role) == Some(role));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_numbers_are_they_take_the_cells_that_there_are(
            values in prop::collection::vec(any::<u64>(), 0..200),
            cells in 1..80_usize,
            part: u64,
            whole: u64,
        ) {
            prop_assert!(merge_to_width(&values, cells).len() <= cells);
            prop_assert_eq!(sparkline(&values).chars().count(), values.len());
            prop_assert!(bar(part, whole, cells).chars().count() <= cells.max(1));
            prop_assert_eq!(gauge(part, whole, cells).width(), cells);
        }
    }
}
