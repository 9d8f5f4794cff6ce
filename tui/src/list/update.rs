//! Updates the state of the list after actions, changes and answers, and
//! decides what to ask the history.

use std::time::Duration;

use podtap_agent::EventId;
use podtap_agent::history::{Anchor, Filter, PageQuery, Position};

use super::effect::{ListEffect, ListPage};
use super::window::{PAGE, RowWindow};
use super::{Goal, List, RequestedPage, SCROLL_MARGIN};
use crate::changes::Changes;
use crate::generation::Generation;
use crate::keymap::Action;

/// Counting uses at most one part in this many of a thread's time.
const COUNT_SHARE: u32 = 20;

impl List {
    /// Carries out an action, on a screen of `height` rows.
    pub(crate) fn act(&mut self, action: Action, height: usize) {
        let page = height.saturating_sub(1).max(1);
        match action {
            Action::Down => self.step(1, height),
            Action::Up => self.step(-1, height),
            Action::HalfDown => self.jump(distance(page.div_ceil(2)), height),
            Action::HalfUp => self.jump(-distance(page.div_ceil(2)), height),
            Action::PageDown => self.jump(distance(page), height),
            Action::PageUp => self.jump(-distance(page), height),
            Action::Top | Action::Follow => self.follow_newest(),
            Action::Bottom => self.go_to_oldest(),
            _ => {}
        }
    }

    /// Selects the row on a line of the screen.
    pub(crate) fn select_line(&mut self, line: usize, height: usize) {
        let first = self.first(height);
        let index = first + line;
        if let Some(row) = self.window.row(index).cloned() {
            self.select(Some(row));
            self.lead = line;
            self.leave_newest();
            self.goal = None;
        }
    }

    /// Returns the change for a listed event that a person's action has changed.
    pub(crate) fn touch(&self, id: EventId) -> Changes {
        let row = self.event(id);
        Changes {
            touched: row.map(|row| (row.position, id)).into_iter().collect(),
            ..Changes::default()
        }
    }

    /// Applies changes of the history.
    pub(crate) fn on_change(&mut self, changes: &Changes) {
        self.apply(changes);
        if self.asked.is_some() {
            self.missed.join(changes);
        }
    }

    fn apply(&mut self, changes: &Changes) {
        if let Some(through) = changes.appended {
            self.windows_mut()
                .for_each(|rows| rows.on_appended(through));
            self.count_stale = true;
        }
        for (position, _) in &changes.touched {
            self.windows_mut()
                .for_each(|rows| rows.on_touched(*position));
        }
        if changes.everything {
            self.windows_mut()
                .for_each(RowWindow::on_everything_touched);
            self.count_stale = true;
        }
    }

    fn windows_mut(&mut self) -> impl Iterator<Item = &mut RowWindow> {
        [&mut self.window].into_iter().chain(&mut self.incoming)
    }

    /// Handles a tick of the clock: a request that failed may be sent again, and
    /// the events may be counted again.
    pub(crate) fn tick(&mut self) {
        self.failure = None;
        self.count_pause = self.count_pause.saturating_sub(1);
    }

    /// Handles the answer to the request for a page. Drops a page that was requested
    /// before the list moved elsewhere.
    pub(crate) fn page(&mut self, generation: Generation, result: Result<ListPage, String>) {
        let Some(asked) = self.asked.take_if(|asked| asked.generation == generation) else {
            return;
        };
        let missed = std::mem::take(&mut self.missed);
        match result {
            // The page folds the event that was selected meanwhile into a
            // burst, so another page is requested.
            Ok(page) if self.takes_selected(&page) => {}
            Ok(page) if self.needs(&asked) => self.join(&asked.query, page),
            Ok(_) => {}
            Err(error) => self.failure = Some(error),
        }
        self.apply(&missed);
    }

    fn join(&mut self, query: &PageQuery, page: ListPage) {
        let goal = self.goal.take();
        let pursued = self.pursued.take();
        let passes = |at: Position| page.rows.iter().any(|row| row.position() == at);
        if let Some(Goal::Passing(at)) = goal
            && !passes(at)
        {
            self.goal = Some(Goal::Newest);
            return;
        }
        let mut rows = match goal {
            None => self.take_rows(),
            Some(_) => self
                .incoming
                .take()
                .filter(|_| goal == pursued)
                .unwrap_or_default(),
        };
        rows.merge(query.anchor, query.limit, page);
        let is_typing = goal.is_some() && self.before.is_some();
        match (rows.is_empty(), rows.is_whole()) {
            (true, true) if is_typing => return self.keep_rows(),
            (true, false) if goal.is_some() => {
                (self.goal, self.pursued) = (goal, goal);
                self.incoming = Some(rows);
                if !is_typing {
                    self.show(RowWindow::default());
                    self.select_incoming(goal);
                }
                return;
            }
            _ => self.show(rows),
        }
        self.select_incoming(goal);
        self.window.trim(self.index().unwrap_or(0));
    }

    /// Replaces the loaded rows. No row of the new ones is there only because it is selected.
    fn show(&mut self, rows: RowWindow) {
        (self.window, self.is_stray) = (rows, false);
        self.shown = self.filter.clone();
    }

    /// Takes the loaded rows, without the row that is there only because it is selected.
    fn take_rows(&mut self) -> RowWindow {
        let mut rows = std::mem::take(&mut self.window);
        if let Some(at) = self.cursor().filter(|_| self.is_stray) {
            rows.remove(at);
        }
        rows
    }

    /// Selects the row at the goal. Without a goal, the selection stays.
    fn select_incoming(&mut self, goal: Option<Goal>) {
        match goal {
            Some(Goal::Oldest) => self.select(self.window.rows().last().cloned()),
            Some(Goal::Newest) => self.select(self.window.row(0).cloned()),
            Some(Goal::Passing(at)) => self.select(self.row_near(at)),
            None if self.follow => self.select(self.window.row(0).cloned()),
            Some(Goal::Folded(_) | Goal::Held(_)) | None => self.keep_selected(),
        }
    }

    /// Handles the answer to the request for the total.
    pub(crate) fn count(
        &mut self,
        of: &Filter,
        took: Duration,
        result: &Result<(u64, Position), String>,
    ) {
        if self.counting.take_if(|counting| counting == of).is_none() {
            return;
        }
        self.count_pause = (took * COUNT_SHARE).as_secs().max(1);
        match result {
            Ok(counted) if *of == self.filter => {
                self.counted = Some(*counted);
                if !self.follow {
                    self.seen = self.seen.or(self.total());
                }
            }
            // The count failed or belongs to another filter: the next tick counts again.
            Ok(_) | Err(_) => self.count_stale = true,
        }
    }

    /// Returns the next request to the history. At most one page and one total are requested at a
    /// time, the page first, because counting may take long in a large history.
    pub(crate) fn ask(&mut self, height: usize) -> Option<ListEffect> {
        if self.failure.is_some() || self.asked.as_ref().is_some_and(|asked| self.needs(asked)) {
            return None;
        }
        if let Some(anchor) = self.anchor(height) {
            self.generation += 1;
            let (generation, filter) = (self.generation, self.filter.clone());
            let query = PageQuery {
                filter,
                anchor,
                limit: PAGE,
            };
            let (goal, asked) = (self.goal, query.clone());
            self.asked = Some(RequestedPage {
                generation,
                query: asked,
                goal,
            });
            let folding = self.folding();
            return Some(ListEffect::LoadPage {
                generation,
                query,
                folding,
            });
        }
        let counts = self.counting.as_ref() == Some(&self.filter);
        if self.count_stale && self.count_pause == 0 && !counts {
            (self.count_stale, self.count_pause) = (false, 1);
            self.counting = Some(self.filter.clone());
            return self
                .counting
                .clone()
                .map(|filter| ListEffect::Count { filter });
        }
        None
    }

    /// Returns whether the page that is being read is still needed. If not, another page is
    /// requested, which ends this request.
    fn needs(&self, asked: &RequestedPage) -> bool {
        asked.goal == self.goal && asked.query.filter == self.filter
    }

    fn anchor(&self, height: usize) -> Option<Anchor> {
        let near = || {
            self.incoming()
                .next_anchor(self.follow, self.first(height), height)
        };
        let goal = self.goal.filter(|_| self.goal != self.pursued);
        goal.map(Goal::anchor).or_else(near)
    }

    /// Moves the cursor. The screen scrolls only if the cursor would leave it.
    fn step(&mut self, by: isize, height: usize) {
        let first = self.first(height);
        if let Some(index) = self.move_cursor(by) {
            let margin = SCROLL_MARGIN.min(height.saturating_sub(1) / 2);
            let lowest = height.saturating_sub(1 + margin).max(margin);
            self.lead = index.saturating_sub(first).clamp(margin, lowest);
        }
    }

    /// Moves the cursor, and scrolls the screen by as much.
    fn jump(&mut self, by: isize, height: usize) {
        let index = self.index().unwrap_or(0);
        self.lead = index - self.first(height);
        self.move_cursor(by);
    }

    fn move_cursor(&mut self, by: isize) -> Option<usize> {
        let index = self.index()?;
        let last = self.window.len().saturating_sub(1);
        let target = index.saturating_add_signed(by).min(last);
        self.goal = None;
        if by < 0 && target == 0 && self.window.reaches_newest() {
            self.follow_newest();
        } else {
            self.leave_newest();
        }
        self.select(self.window.row(target).cloned());
        self.index()
    }

    fn follow_newest(&mut self) {
        self.follow = true;
        self.seen = None;
        self.lead = 0;
        self.goal = None;
        self.leave_stray();
        if self.window.reaches_newest() {
            self.select(self.window.row(0).cloned());
        } else {
            self.goal = Some(Goal::Newest);
        }
    }

    pub(super) fn leave_newest(&mut self) {
        if self.follow {
            self.follow = false;
            self.seen = self.total();
        }
    }

    fn go_to_oldest(&mut self) {
        self.leave_newest();
        self.lead = usize::MAX;
        self.leave_stray();
        if self.window.reaches_oldest() {
            self.select(self.window.rows().last().cloned());
        } else {
            self.goal = Some(Goal::Oldest);
        }
    }
}

fn distance(rows: usize) -> isize {
    isize::try_from(rows).unwrap_or(isize::MAX)
}
