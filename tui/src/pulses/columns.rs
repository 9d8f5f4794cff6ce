//! Decides how wide the columns are. If the width shrinks, columns are left out in this order:
//! Podio's conclusion, the sparkline, the slowest and the median answer, the time of the last call,
//! the gauge. Name, type, calls, failures and the 95th percentile always stay.

pub(super) const GUTTER: usize = 2;
pub(super) const KIND: usize = 15;
pub(super) const CALLS: usize = 7;
pub(super) const FAILED: usize = 6;
pub(super) const TIME: usize = 9;
/// Minimum width of the name.
const NAME: usize = 12;
const MOST_NAME: usize = 30;
const LAST: usize = 9;
const GAUGE: usize = 8;
/// One cell for each minute of the hour, or for a few minutes.
const SPARK: usize = 17;
const MOST_SPARK: usize = 62;
const STANDING: usize = 20;

/// Cells of each column that can shrink or grow; 0 for one that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PulseColumns {
    pub(super) name: usize,
    pub(super) gauge: usize,
    pub(super) last: usize,
    pub(super) p50: usize,
    pub(super) max: usize,
    pub(super) spark: usize,
    pub(super) standing: usize,
}

impl PulseColumns {
    /// Returns the columns of a window of this width.
    pub(super) fn of(width: usize) -> Self {
        let fixed = GUTTER + NAME + KIND + CALLS + FAILED + TIME;
        let mut rest = width.saturating_sub(fixed);
        let mut all = true;
        // If a column does not fit, the columns that are less important do not fit either.
        let mut take = |wanted: usize| {
            all &= rest >= wanted;
            let taken = if all { wanted } else { 0 };
            rest -= taken;
            taken
        };
        let gauge = take(GAUGE);
        let last = take(LAST);
        let p50 = take(TIME);
        let max = take(TIME);
        let spark = take(SPARK);
        let standing = take(STANDING);
        let name = rest.min(MOST_NAME - NAME);
        rest -= name;
        let more = if spark > 0 {
            rest.min(MOST_SPARK - SPARK)
        } else {
            0
        };
        Self {
            name: NAME + name,
            gauge,
            last,
            p50,
            max,
            spark: spark + more,
            standing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_exceed_the_width_and_go_in_their_order() {
        let mut before = [true; 6];
        for width in (51..200).rev() {
            let at = PulseColumns::of(width);
            let all = [at.standing, at.spark, at.max, at.p50, at.last, at.gauge];
            let sum = GUTTER + at.name + KIND + CALLS + FAILED + TIME + all.iter().sum::<usize>();
            assert!(sum <= width, "{width}: {at:?}");
            let there = all.map(|cells| cells > 0);
            for (is_there, was_there) in there.iter().zip(before) {
                assert!(!is_there || was_there, "{width}: {at:?}");
            }
            let first = there.iter().position(|is_there| *is_there).unwrap_or(6);
            assert!(there.iter().skip(first).all(|is_there| *is_there), "{at:?}");
            before = there;
        }
    }
}
