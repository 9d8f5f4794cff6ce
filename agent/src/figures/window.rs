//! Keeps the newest events and deliveries, bounded by number and age. Pure.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::history::{RecentDelivery, RecentEvent};

/// Period that the figures cover.
pub(super) const PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Maximum number of events, and of deliveries, that
/// are kept: some megabytes for the busiest tunnel.
pub(super) const MOST: usize = 20_000;

/// The events and deliveries in memory, oldest first.
#[derive(Debug, Default)]
pub(super) struct RecentWindow {
    pub(super) events: VecDeque<RecentEvent>,
    pub(super) deliveries: VecDeque<RecentDelivery>,
    /// Whether the period had more events than are kept.
    pub(super) is_cut: bool,
}

impl RecentWindow {
    /// Removes the events and deliveries that are too old or too many.
    pub(super) fn trim(&mut self, now: Timestamp) {
        let since = now.saturating_sub(PERIOD).unwrap_or(Timestamp::MIN);
        while let Some(oldest) = self.events.front() {
            let is_recent = oldest.received_at >= since;
            if is_recent && self.events.len() <= MOST {
                break;
            }
            self.is_cut = is_recent;
            self.events.pop_front();
        }
        while let Some(oldest) = self.deliveries.front()
            && (oldest.started_at < since || self.deliveries.len() > MOST)
        {
            self.deliveries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::history::HookSender;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn sender() -> HookSender {
        HookSender {
            hook_id: Some(7),
            event_type: Some("item.update".into()),
        }
    }

    #[test]
    fn what_is_kept_is_bounded_by_count_and_by_age() {
        let mut window = RecentWindow::default();
        let mut fill = |count: usize, second| {
            let event = RecentEvent {
                sender: sender(),
                received_at: at(second),
            };
            window.events.extend(vec![event; count]);
            let delivery = RecentDelivery {
                sender: sender(),
                started_at: at(second),
                duration: Duration::ZERO,
                status: None,
                is_first: true,
            };
            window.deliveries.extend(vec![delivery; count]);
            window.trim(at(second));
            (window.events.len(), window.deliveries.len(), window.is_cut)
        };
        assert_eq!(fill(MOST, 0), (MOST, MOST, false));
        assert_eq!(fill(1, 1), (MOST, MOST, true));
        assert_eq!(fill(3, 25 * 3600), (3, 3, false));
    }
}
