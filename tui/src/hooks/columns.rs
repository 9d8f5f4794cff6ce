//! Decides how wide the columns of the hooks are. If the width shrinks, columns are left out in
//! this order: creator, id, standing, URL. Status, event, place and mark always stay.

pub(super) const GUTTER: usize = 2;
pub(super) const STATUS: usize = 11;
pub(super) const EVENT: usize = 15;
pub(super) const PLACE: usize = 10;
pub(super) const MARK: usize = 14;
pub(super) const FIXED: usize = GUTTER + STATUS + EVENT + PLACE + MARK;
/// Additional cells for the name of the place, if there is room.
pub(super) const MORE_PLACE: usize = 14;
pub(super) const STANDING: usize = 21;
pub(super) const ID: usize = 11;
pub(super) const MAKER: usize = 18;
/// Minimum width of the URL. A narrower column is left out.
pub(super) const URL: usize = 18;
/// Minimum width of the URL if other columns are shown beside it.
pub(super) const GOOD_URL: usize = 26;

/// Cells of each column that can shrink; 0 for one that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HookColumns {
    pub(super) place: usize,
    pub(super) url: usize,
    pub(super) standing: usize,
    pub(super) id: usize,
    pub(super) maker: usize,
}

impl HookColumns {
    /// Returns the columns of a window of this width.
    pub(super) fn of(width: usize) -> Self {
        let mut rest = width.saturating_sub(FIXED);
        let mut all = true;
        // If a column does not fit, the columns that are less important do not fit either.
        let mut take = |wanted: usize, least: usize| {
            all &= rest >= wanted + least;
            let taken = if all { wanted } else { 0 };
            rest -= taken;
            taken
        };
        let standing = take(STANDING, GOOD_URL);
        let id = take(ID, GOOD_URL);
        let maker = take(MAKER, GOOD_URL + MORE_PLACE);
        let more = rest.saturating_sub(GOOD_URL).min(MORE_PLACE);
        let url = rest - more;
        Self {
            place: PLACE + more,
            url: if url >= URL { url } else { 0 },
            standing,
            id,
            maker,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_go_in_their_order_and_never_exceed_the_width() {
        let count = |columns: HookColumns| {
            let columns = [columns.maker, columns.id, columns.standing, columns.url];
            columns.map(|cells| cells > 0)
        };
        let mut before = [true; 4];
        for width in (FIXED..200).rev() {
            let columns = HookColumns::of(width);
            let there = count(columns);
            for (index, is_there) in there.iter().enumerate() {
                assert!(!is_there || before[index], "{width}: it came back");
                let later = there.iter().skip(index);
                assert!(
                    !is_there || later.clone().all(|it| *it),
                    "{width}: {there:?}"
                );
            }
            let sum = FIXED - PLACE
                + columns.place
                + columns.url
                + columns.standing
                + columns.id
                + columns.maker;
            assert!(sum <= width, "{width}: {columns:?}");
            before = there;
        }
        assert_eq!(
            before, [false; 4],
            "the smallest screen has only what stays"
        );
    }
}
