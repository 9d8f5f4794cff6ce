//! Updates the state of the detail after actions, changes and answers, and
//! decides what to ask the history.

use podtap_agent::EventId;

use super::effect::{DetailAnswer, DetailEffect};
use super::{Detail, OpenEvent, RenderOptions, Tab};
use crate::changes::Changes;
use crate::generation::Generation;
use crate::keymap::Action;

impl Detail {
    /// Carries out an action, on a screen of `height` lines.
    pub(crate) fn act(&mut self, action: Action, height: usize) {
        if self.extend(action, height) {
            return;
        }
        let aside = (self.width() / 2).max(1);
        match action {
            Action::Select => self.toggle_selection(height),
            Action::Left => self.left = self.scrolled_cells().saturating_sub(aside),
            Action::Right => self.left = self.scrolled_cells() + aside,
            _ => self.scroll(action, height),
        }
    }

    /// Scrolls up or down.
    pub(crate) fn scroll(&mut self, action: Action, height: usize) {
        let first = self.first(height);
        let page = height.saturating_sub(1).max(1);
        let half = page.div_ceil(2);
        self.top = match action {
            Action::Down => first + 1,
            Action::Up => first.saturating_sub(1),
            Action::HalfDown => first + half,
            Action::HalfUp => first.saturating_sub(half),
            Action::PageDown => first + page,
            Action::PageUp => first.saturating_sub(page),
            Action::Top => 0,
            Action::Bottom => usize::MAX,
            _ => self.top,
        };
    }

    /// Switches to another tab, if the action asks for that. Returns whether it does.
    pub(crate) fn turn(&mut self, action: Action) -> bool {
        let tab = match action {
            Action::NextTab => self.tab.beside(1),
            Action::PreviousTab => self.tab.beside(Tab::ALL.len() - 1),
            Action::Summary => Tab::Summary,
            Action::Params => Tab::Params,
            Action::Request => Tab::Request,
            Action::Response => Tab::Response,
            Action::Attempts => Tab::Attempts,
            Action::Diff => Tab::Diff,
            _ => return false,
        };
        self.open_tab(tab);
        true
    }

    /// Switches to a tab.
    pub(crate) fn open_tab(&mut self, tab: Tab) {
        (self.tab, self.top, self.left) = (tab, 0, 0);
        self.end_selection();
        self.look_again();
    }

    /// Records that the history has changed.
    pub(crate) fn on_change(&mut self, changes: &Changes) {
        let shown = self.open_event().map(|opened| opened.event.id);
        self.stale |= changes.everything
            || changes
                .touched
                .iter()
                .any(|(_, touched)| Some(*touched) == shown);
    }

    /// Handles a tick of the clock: a request that failed may be sent again.
    pub(crate) fn tick(&mut self) {
        self.failure = None;
    }

    /// Handles an answer.
    pub(crate) fn on_answer(&mut self, answer: DetailAnswer) {
        let DetailAnswer::Event { generation, result } = answer;
        self.event(generation, result);
    }

    /// Handles the answer to the request for an event.
    pub(super) fn event(
        &mut self,
        generation: Generation,
        result: Result<Option<Box<OpenEvent>>, String>,
    ) {
        let Some((_, id)) = self.asked.take_if(|(asked, _)| *asked == generation) else {
            return;
        };
        let is_shown = self
            .open_event()
            .is_some_and(|opened| opened.event.id == id);
        match result {
            // An event that a person is reading stays on the screen even if
            // retention has removed it.
            Ok(None) if is_shown => self.is_gone = true,
            Ok(opened) => {
                self.is_gone = opened.is_none();
                self.open(opened);
            }
            Err(error) => self.failure = Some(error),
        }
    }

    /// Replaces the event that is shown. If it is the same event, the scroll position stays.
    fn open(&mut self, opened: Option<Box<OpenEvent>>) {
        let is_same = |one: &OpenEvent| {
            opened
                .as_ref()
                .is_some_and(|it| it.event.id == one.event.id)
        };
        if !self.open_event().is_some_and(is_same) {
            (self.top, self.left) = (0, 0);
        }
        let line = self.rows().line_of(self.top);
        let before = std::mem::replace(&mut self.opened, opened);
        let before = before.as_deref();
        if before.map(|it| it.sheet(self.tab)) == self.open_event().map(|it| it.sheet(self.tab)) {
            return;
        }
        self.end_selection();
        let (was, is) = (
            before.map(|it| it.options),
            self.open_event().map(|it| it.options),
        );
        if let (Some(was), Some(is)) = (was, is)
            && was != is
            && self.top > 0
            && self.top != usize::MAX
        {
            let rows = self.rows();
            let most = rows.body().filter(|_| was.form != is.form);
            self.top = rows.row_of(line).min(most.unwrap_or(usize::MAX));
        }
        self.look_again();
    }

    /// Returns the next request to the history; `selected` is the event at the list's cursor. There
    /// is at most one request at a time, for lines of `width` cells.
    pub(crate) fn ask(&mut self, selected: Option<EventId>, width: usize) -> Option<DetailEffect> {
        let Some(id) = selected else {
            if self.opened.take().is_some() {
                self.end_selection();
                self.look_again();
            }
            return None;
        };
        let options = RenderOptions {
            width,
            form: self.form(id),
            wrap: !self.unwrapped,
            attempt: self.chosen_attempt(id),
        };
        self.lay_out_finding(id, options);
        let fits = self.open_event().is_some_and(|opened| {
            let is_same = opened.event.id == id;
            is_same && (self.is_gone || opened.options == options && !self.stale)
        });
        if fits || width == 0 || self.asked.is_some() || self.failure.is_some() {
            return None;
        }
        self.generation += 1;
        self.stale = false;
        self.asked = Some((self.generation, id));
        Some(DetailEffect::LoadEvent {
            generation: self.generation,
            id,
            options,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{event, sample_event};

    fn load(detail: &mut Detail, id: EventId) -> Generation {
        match detail.ask(Some(id), 40) {
            Some(DetailEffect::LoadEvent { generation, .. }) => generation,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_event_is_asked_for_at_a_time_and_the_last_selected_is_shown() {
        let (first, last) = (event(1).id, event(2).id);
        let mut detail = Detail::default();
        let generation = load(&mut detail, first);
        assert_eq!(detail.ask(Some(last), 40), None);

        detail.event(generation, Ok(Some(sample_event(1, 40))));
        let generation = load(&mut detail, last);
        detail.event(generation, Ok(Some(sample_event(2, 40))));

        assert_eq!(
            detail.open_event().map(|opened| opened.event.id),
            Some(last)
        );
        assert_eq!(detail.ask(Some(last), 40), None);
        assert!(
            detail.ask(Some(last), 50).is_some(),
            "another width is laid out anew"
        );
    }

    #[test]
    fn a_touched_event_is_read_again_and_stays_scrolled() {
        let mut detail = Detail::default();
        let generation = load(&mut detail, event(1).id);
        detail.event(generation, Ok(Some(sample_event(1, 40))));
        detail.act(Action::Down, 3);
        let touched = vec![(event(1).position, event(1).id)];
        detail.on_change(&Changes {
            touched,
            ..Changes::default()
        });

        let generation = load(&mut detail, event(1).id);
        detail.event(generation, Ok(Some(sample_event(1, 40))));
        assert_eq!(detail.first(3), 1);
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let mut detail = Detail::default();
        let generation = load(&mut detail, event(1).id);
        detail.event(generation, Ok(Some(sample_event(1, 40))));
        let lines = detail.open_event().unwrap().sheet(Tab::Summary).len();
        detail.act(Action::Up, 4);
        assert_eq!(detail.first(4), 0);
        detail.act(Action::Bottom, 4);
        assert_eq!(detail.first(4), lines - 4);
        detail.act(Action::Up, 4);
        assert_eq!(detail.first(4), lines - 5);
    }
}
