//! Filters while they are typed, and once they are kept. What is typed so far is only tried: it
//! never empties the list, and leaving brings back what was there.

use podtap_agent::history::{EventRow, Filter};

use super::{Goal, List};

/// What the list was before a filter was typed.
#[derive(Debug, Clone)]
pub(super) struct BeforeTyping {
    filter: Filter,
    selected: Option<EventRow>,
    lead: usize,
    follow: bool,
}

impl List {
    /// A filter is about to be typed.
    pub(crate) fn begin_typing(&mut self) {
        self.before = Some(BeforeTyping {
            filter: self.filter.clone(),
            selected: self.selected.clone(),
            lead: self.lead,
            follow: self.follow,
        });
        self.without_matches = None;
    }

    /// Shows what the filter wants that is typed so far. Where that is nothing, the rows stay.
    pub(crate) fn try_filter(&mut self, filter: Filter) {
        self.without_matches = None;
        self.want(filter);
    }

    /// Shows what a filter wants, and be it nothing.
    pub(crate) fn set_filter(&mut self, filter: Filter) {
        let before = self.before.take();
        self.without_matches = None;
        self.want_from(filter, before);
    }

    /// The typed filter is given up: everything is as it was before.
    pub(crate) fn restore(&mut self) {
        let Some(before) = self.before.take() else {
            return;
        };
        self.without_matches = None;
        (self.follow, self.lead) = (before.follow, before.lead);
        let at = before.selected.as_ref().map(|row| row.position);
        self.begin(before.filter);
        self.goal = match at {
            _ if self.filter == self.shown => None,
            Some(at) if !self.follow => Some(Goal::Held(at)),
            _ => Some(Goal::Newest),
        };
        self.select(before.selected);
        self.keep_selected();
    }

    /// The filter that was tried last where it wants nothing, so that the rows are still those of
    /// another one.
    pub(crate) fn without_matches(&self) -> Option<&Filter> {
        self.without_matches.as_ref()
    }

    /// What was tried wants nothing: the rows and their filter stay.
    pub(super) fn keep_rows(&mut self) {
        self.without_matches = Some(self.filter.clone());
        let shown = self.shown.clone();
        self.begin(shown);
        self.goal = None;
    }

    fn want(&mut self, filter: Filter) {
        let before = self.before.clone();
        self.want_from(filter, before);
    }

    /// Shows what another filter wants: from the event on that was selected before it was typed
    /// where it wants that, else its newest events.
    fn want_from(&mut self, filter: Filter, before: Option<BeforeTyping>) {
        if filter == self.filter {
            return;
        }
        let (follow, at) = match before {
            Some(before) => (before.follow, before.selected.map(|row| row.position)),
            None => (self.follow, self.cursor()),
        };
        self.goal = Some(match at {
            Some(at) if !follow => Goal::Passing(at),
            _ => Goal::Newest,
        });
        self.begin(filter);
    }

    fn begin(&mut self, filter: Filter) {
        self.filter = filter;
        (self.pursued, self.incoming) = (None, None);
        (self.counted, self.seen) = (None, None);
        (self.count_stale, self.count_pause) = (true, 0);
    }
}
