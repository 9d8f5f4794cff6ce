//! The hooks of the known places as Podio has them, in a list with a cursor, and those that only
//! the history knows. What its keys do is `app::hooks`'s business.

mod about;
mod columns;
mod row;
mod view;

use podtap_agent::{HookListing, HookStanding, Place};
use ratatui::layout::Rect;

use crate::generation::Generation;
use crate::keymap::Action;
pub(crate) use about::about;
pub(crate) use row::Row;

/// The open pane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hooks {
    rows: Vec<Row>,
    places: Vec<Place>,
    /// Places that were not asked for, since there are too many.
    left_out: usize,
    cursor: usize,
    /// The first row on the screen, as of the last move.
    top: usize,
    reading: Reading,
    /// Changes that Podio was asked for and has not answered.
    changing: usize,
    /// Why Podio's hooks are not shown.
    refusal: Option<String>,
    /// Why the last change was not made.
    fault: Option<String>,
    /// The hook whose verification makes the list worth reading again.
    awaits: Option<u64>,
}

/// How far the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Reading {
    /// It has to be read.
    #[default]
    Wanted,
    /// This question is under way.
    Asked(Generation),
    /// It is here.
    Done,
}

impl Hooks {
    /// Wants the list read again.
    pub(crate) fn reload(&mut self) {
        self.reading = Reading::Wanted;
    }

    /// Whether a list is on its way, or wanted.
    pub(crate) fn is_reading(&self) -> bool {
        self.reading != Reading::Done
    }

    /// Whether the list has to be asked for; then by this question.
    pub(crate) fn ask(&mut self, generation: Generation) -> bool {
        let wanted = self.reading == Reading::Wanted;
        if wanted {
            self.reading = Reading::Asked(generation);
        }
        wanted
    }

    /// An answer has come. One to an older question changes nothing.
    pub(crate) fn listed(
        &mut self,
        generation: Generation,
        listing: Result<HookListing, String>,
        standings: Vec<HookStanding>,
    ) {
        if self.reading != Reading::Asked(generation) {
            return;
        }
        self.reading = Reading::Done;
        let selected = self.selected().map(Row::key);
        let listing = match listing {
            Ok(listing) => {
                self.refusal = None;
                listing
            }
            Err(refusal) => {
                self.refusal = Some(refusal);
                HookListing::default()
            }
        };
        self.left_out = listing.left_out;
        self.places.clone_from(&listing.places);
        self.rows = row::rows(listing, standings);
        let same = self.rows.iter().position(|row| Some(row.key()) == selected);
        let last = self.rows.len().saturating_sub(1);
        self.cursor = same.unwrap_or(self.cursor).min(last);
    }

    /// Podio is asked for a change.
    pub(crate) fn changing(&mut self) {
        self.changing += 1;
        self.fault = None;
    }

    /// Podio has answered: another list is wanted, and once more when this hook was verified.
    pub(crate) fn changed(&mut self, awaits: Option<u64>) {
        self.changing = self.changing.saturating_sub(1);
        self.awaits = awaits.or(self.awaits);
        self.reload();
    }

    /// Podio has not done what it was asked for.
    pub(crate) fn refused(&mut self, fault: String) {
        self.changing = self.changing.saturating_sub(1);
        self.fault = Some(fault);
    }

    /// The validations of these hooks have ended.
    pub(crate) fn verified(&mut self, hook_ids: &[u64]) {
        if self.awaits.take_if(|id| hook_ids.contains(id)).is_some() {
            self.reload();
        }
    }

    /// Places that hooks can be made on.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The row under the cursor.
    pub(crate) fn selected(&self) -> Option<&Row> {
        self.rows.get(self.cursor)
    }

    /// Moves the cursor.
    pub(crate) fn act(&mut self, action: Action, screen: Rect) {
        let height = view::height(self, screen).max(1);
        let last = self.rows.len().saturating_sub(1);
        let cursor = match action {
            Action::Down => self.cursor + 1,
            Action::Up => self.cursor.saturating_sub(1),
            Action::PageDown => self.cursor + height,
            Action::PageUp => self.cursor.saturating_sub(height),
            Action::HalfDown => self.cursor + height.div_ceil(2),
            Action::HalfUp => self.cursor.saturating_sub(height.div_ceil(2)),
            Action::Top => 0,
            Action::Bottom => last,
            _ => self.cursor,
        };
        self.cursor = cursor.min(last);
        self.top = self.first(height);
    }

    /// A line of the window was clicked: the row there is selected, and returned.
    pub(crate) fn click(&mut self, line: usize, screen: Rect) -> Option<usize> {
        let height = view::height(self, screen).max(1);
        let line = line.checked_sub(view::above(self, screen))?;
        let row = self.first(height) + line;
        if line >= height || row >= self.rows.len() {
            return None;
        }
        self.cursor = row;
        Some(row)
    }

    /// The first row that is shown where there is room for so many: the cursor's is among them.
    fn first(&self, height: usize) -> usize {
        let least = (self.cursor + 1).saturating_sub(height);
        self.top.clamp(least, self.cursor.max(least))
    }
}

pub(crate) use view::{area, view};

#[cfg(test)]
pub(crate) mod tests {
    use podtap_agent::{FailedPlace, ListedHook, PlaceRef, UrlVerdict};
    use podtap_podio::client::{Hook, HookStatus};

    use super::*;

    pub(crate) fn orders() -> Place {
        Place {
            at: PlaceRef::app(30_682_880),
            name: Some("Orders".to_owned()),
        }
    }

    pub(crate) fn hook(hook_id: u64, event: &str, url: &str) -> ListedHook {
        ListedHook {
            place: orders(),
            hook: Hook {
                hook_id,
                status: HookStatus::Active,
                event: event.to_owned(),
                url: url.to_owned(),
                created_on: None,
                created_by: None,
                created_via: None,
            },
            made_here: false,
            standing: None,
            verdict: UrlVerdict::Unsuspected,
        }
    }

    pub(crate) fn listing(hooks: Vec<ListedHook>) -> HookListing {
        HookListing {
            places: vec![orders()],
            hooks,
            ..HookListing::default()
        }
    }

    const SCREEN: Rect = Rect::new(0, 0, 80, 24);

    #[test]
    fn an_answer_to_an_older_question_changes_nothing() {
        let mut pane = Hooks::default();
        assert!(pane.ask(1));
        assert!(!pane.ask(2), "one question at a time");
        pane.reload();
        assert!(pane.ask(3));
        pane.listed(1, Err("too late".to_owned()), Vec::new());
        assert!(pane.is_reading() && pane.refusal.is_none());
        pane.listed(
            3,
            Ok(listing(vec![hook(7, "item.update", "x")])),
            Vec::new(),
        );
        assert!(!pane.is_reading());
        assert_eq!(pane.rows.len(), 1);
    }

    #[test]
    fn the_cursor_stays_on_its_hook_whatever_comes_or_goes() {
        let hooks = |ids: &[u64]| {
            let hooks = ids.iter().map(|id| hook(*id, "item.update", "x"));
            listing(hooks.collect())
        };
        let mut pane = Hooks::default();
        pane.ask(1);
        pane.listed(1, Ok(hooks(&[5, 6, 7])), Vec::new());
        pane.act(Action::Bottom, SCREEN);
        for (generation, ids, selected) in [(2, &[4, 5, 6, 7, 8][..], 3), (3, &[4, 5][..], 1)] {
            pane.reload();
            pane.ask(generation);
            pane.listed(generation, Ok(hooks(ids)), Vec::new());
            assert_eq!(pane.cursor, selected, "{ids:?}");
        }
        pane.reload();
        pane.ask(4);
        pane.listed(4, Ok(hooks(&[])), Vec::new());
        assert_eq!(pane.selected(), None);
        pane.act(Action::Down, SCREEN);
        assert_eq!(pane.cursor, 0);
    }

    #[test]
    fn only_the_awaited_verification_reads_the_list_again() {
        let mut pane = Hooks::default();
        pane.changing();
        pane.changed(Some(7));
        pane.ask(1);
        pane.verified(&[8]);
        assert!(!pane.ask(2));
        pane.verified(&[8, 7]);
        assert!(pane.ask(3));
        pane.verified(&[7]);
        assert!(!pane.ask(4), "forged ones cost no calls");
    }

    #[test]
    fn places_that_failed_and_hooks_of_the_history_are_rows_too() {
        let failed = FailedPlace {
            place: Place {
                at: PlaceRef::space(9),
                name: None,
            },
            reason: "Podio answered 403".to_owned(),
        };
        let mut listing = listing(vec![hook(7, "item.update", "x")]);
        listing.places.insert(0, failed.place.clone());
        listing.failed.push(failed.clone());
        let called = [7, 8].map(crate::testing::standing);

        let rows = row::rows(listing, called.to_vec());

        let keys: Vec<_> = rows.iter().map(Row::key).collect();
        let wanted = [
            Row::Failed(failed),
            Row::Hook(Box::new(hook(7, "item.update", "x"))),
            Row::Called(called[1].clone()),
        ];
        assert_eq!(keys, wanted.each_ref().map(Row::key));
    }
}
