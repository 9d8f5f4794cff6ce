//! The mark that a benchmark's sender appends to a body, and by which its sink recognizes the body:
//! a number and the time of sending, as form parameters, so that Podio could send such a body.

/// The number and the time of a sent body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeMark {
    /// Unique within a run, counted from 0.
    pub number: u64,
    /// When the body was due, in nanoseconds since 1970.
    pub sent_ns: u64,
}

/// Digits of each number. The width is fixed, so that all bodies of a run have the same length.
const DIGITS: usize = 20;
/// `&n=`, a number, `&t=`, a number.
const LENGTH: usize = 2 * (3 + DIGITS);

impl TimeMark {
    /// Returns a body of Podio's `item.update` for one of `objects` items,
    /// padded to about `size` bytes.
    pub fn body(self, objects: u64, size: usize) -> String {
        let item = 2_900_000_000 + self.number % objects.max(1);
        let mut body = format!(
            "type=item.update&hook_id=11480571&item_id={item}&item_revision_id=7\
             &external_id=invoice-2024-000187&app_id=28416039&space_id=8123456&created_via=api&note="
        );
        let pad = size.saturating_sub(body.len() + LENGTH);
        body.extend(std::iter::repeat_n('x', pad));
        body + &format!("&n={:0DIGITS$}&t={:0DIGITS$}", self.number, self.sent_ns)
    }

    /// Returns the mark at the end of a body, if there is one.
    pub fn find(body: &[u8]) -> Option<Self> {
        let tail = body.get(body.len().checked_sub(LENGTH)?..)?;
        let tail = std::str::from_utf8(tail).ok()?;
        let (number, sent) = tail.strip_prefix("&n=")?.split_once("&t=")?;
        Some(Self {
            number: number.parse().ok()?,
            sent_ns: sent.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_in_the_body_that_carries_it() {
        let mark = TimeMark {
            number: 7,
            sent_ns: 1_795_000_000_123_456_789,
        };
        for size in [0, 300, 10_000] {
            let body = mark.body(3, size);
            assert_eq!(TimeMark::find(body.as_bytes()), Some(mark));
        }
        assert_eq!(mark.body(3, 300).len(), 300);
    }

    #[test]
    fn a_body_without_a_mark_has_none() {
        assert_eq!(TimeMark::find(b"type=item.update&item_id=1"), None);
        assert_eq!(TimeMark::find(&[0xff; 300]), None);
    }
}
