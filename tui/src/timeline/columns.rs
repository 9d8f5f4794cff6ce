//! Decides how wide the columns are. If the width shrinks, columns are left out in this
//! order: the event's type, what changed, the time since the event before. Time,
//! revision, author and answer always stay.

pub(super) const GUTTER: usize = 2;
pub(super) const REVISION: usize = 8;
pub(super) const MARK: usize = 2;
pub(super) const OUTCOME: usize = 12;
/// Cells of the time since the event before.
const AFTER: usize = 8;
const KIND: usize = 15;
/// Minimum and maximum width of a name.
const WHO: usize = 12;
const MOST_WHO: usize = 30;
/// Minimum width of a change.
const CHANGED: usize = 14;

/// Cells of each column that can shrink or grow; 0 for one that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct TimelineColumns {
    pub(super) time: usize,
    pub(super) after: usize,
    pub(super) kind: usize,
    pub(super) who: usize,
    pub(super) changed: usize,
}

impl TimelineColumns {
    /// Returns the columns of a window of this width. `time` is the number of cells of a time.
    pub(super) fn of(width: usize, time: usize) -> Self {
        let fixed = GUTTER + REVISION + MARK + OUTCOME + time + 1;
        let mut rest = width.saturating_sub(fixed + WHO);
        let mut take = |wanted: usize| {
            let taken = if rest >= wanted { wanted } else { 0 };
            rest -= taken;
            taken
        };
        let after = take(AFTER);
        let has_changes = take(CHANGED) > 0;
        let kind = if has_changes && rest >= KIND + 10 {
            rest -= KIND;
            KIND
        } else {
            0
        };
        let more = rest.min(if has_changes {
            (MOST_WHO - WHO).min(rest / 2)
        } else {
            rest
        });
        let changed = if has_changes {
            CHANGED + rest - more
        } else {
            0
        };
        Self {
            time,
            after,
            kind,
            who: WHO + more,
            changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_exceed_the_width() {
        for width in 50..200 {
            for time in [8, 12] {
                let columns = TimelineColumns::of(width, time);
                let TimelineColumns {
                    after,
                    kind,
                    who,
                    changed,
                    ..
                } = columns;
                let fixed = GUTTER + REVISION + MARK + OUTCOME + time + 1;
                let sum = fixed + after + kind + who + changed;
                assert!(sum <= width.max(fixed + WHO), "{width}: {columns:?}");
            }
        }
    }
}
