//! Tracks how far a session is ahead of its agent's acknowledgements. Pure.

use std::collections::VecDeque;

use podtap_wire::Seq;

use crate::queue::ReadLimit;

/// Events that were sent and are not acknowledged yet.
#[derive(Debug)]
pub(super) struct SendWindow {
    max_events: usize,
    max_bytes: usize,
    bytes: usize,
    sent: VecDeque<(Seq, usize)>,
    /// Last event that was sent, or that was removed before anything was sent.
    cursor: Seq,
    acknowledged: Option<Seq>,
}

impl SendWindow {
    /// Creates a window for the events after `cursor`.
    pub(super) fn new(max_events: usize, max_bytes: usize, cursor: Seq) -> Self {
        Self {
            max_events: max_events.max(1),
            max_bytes: max_bytes.max(1),
            bytes: 0,
            sent: VecDeque::new(),
            cursor,
            acknowledged: None,
        }
    }

    /// Returns the event after which to continue reading.
    pub(super) fn cursor(&self) -> Seq {
        self.cursor
    }

    /// Returns how much may be sent now, or `None` until the agent acknowledges something.
    pub(super) fn room(&self) -> Option<ReadLimit> {
        let events = self.max_events.saturating_sub(self.sent.len());
        let bytes = self.max_bytes.saturating_sub(self.bytes);
        (events > 0 && bytes > 0).then_some(ReadLimit { events, bytes })
    }

    /// Records an event that is being sent.
    pub(super) fn record_sent(&mut self, seq: Seq, bytes: usize) {
        self.cursor = seq;
        self.bytes += bytes;
        self.sent.push_back((seq, bytes));
    }

    /// Records that events up to `through` will never be sent.
    pub(super) fn skip(&mut self, through: Seq) {
        self.cursor = self.cursor.max(through);
    }

    /// Records an acknowledgement. Returns up to which event it is accepted: an agent cannot
    /// have an event that was not sent.
    pub(super) fn acknowledge(&mut self, through: Seq) -> Seq {
        let through = through.min(self.cursor);
        while let Some(&(seq, bytes)) = self.sent.front()
            && seq <= through
        {
            self.bytes -= bytes;
            self.sent.pop_front();
        }
        self.acknowledged = self.acknowledged.max(Some(through));
        through
    }

    /// Returns the last event that the agent has acknowledged, if any.
    pub(super) fn last_acknowledged(&self) -> Option<Seq> {
        self.acknowledged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(window: &SendWindow) -> Option<(usize, usize)> {
        window.room().map(|room| (room.events, room.bytes))
    }

    #[test]
    fn an_agent_is_never_more_than_its_window_behind() {
        let mut window = SendWindow::new(2, 1000, Seq(4));
        window.record_sent(Seq(5), 10);
        assert_eq!(room(&window), Some((1, 990)));
        window.record_sent(Seq(6), 10);
        assert_eq!(room(&window), None);

        assert_eq!(window.acknowledge(Seq(5)), Seq(5));

        assert_eq!(room(&window), Some((1, 990)));
        assert_eq!(window.cursor(), Seq(6));
    }

    #[test]
    fn bytes_close_the_window_as_well() {
        let mut window = SendWindow::new(100, 1000, Seq(0));
        window.record_sent(Seq(1), 5000);
        assert_eq!(room(&window), None);
        window.acknowledge(Seq(1));
        assert_eq!(room(&window), Some((100, 1000)));
    }

    #[test]
    fn an_acknowledgement_of_what_was_never_sent_is_cut_down() {
        let mut window = SendWindow::new(10, 1000, Seq(4));
        window.record_sent(Seq(5), 1);
        assert_eq!(window.acknowledge(Seq(u64::MAX)), Seq(5));
        assert_eq!(
            window.acknowledge(Seq(2)),
            Seq(2),
            "an old one changes nothing"
        );
        assert_eq!(window.last_acknowledged(), Some(Seq(5)));
        window.skip(Seq(9));
        assert_eq!(window.acknowledge(Seq(9)), Seq(9));
    }
}
