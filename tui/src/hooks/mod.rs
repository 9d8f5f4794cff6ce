//! The pane of the hooks: a list with a cursor that shows the hooks at Podio, and those that only
//! the history knows. They can be created, verified and deleted; `update` handles the keys.

mod about;
mod columns;
mod effect;
mod form;
mod news;
mod row;
#[cfg(test)]
mod tests;
mod update;
mod view;

use podtap_agent::{HookListing, HookStanding, Place};
use ratatui::layout::Rect;

use about::about;
pub(crate) use effect::{HookChange, HooksAnswer, HooksEffect, run};
pub(crate) use form::HookForm;
pub(crate) use news::notice;
use row::HookRow;
pub(crate) use update::{HooksUpdate, on_answer, request_change};
pub(crate) use view::{area, view};

use crate::generation::Generation;
use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::paragraph;
use crate::theme::Role;
use crate::widget::cursor;
use crate::widget::lines::Lines;

/// The open pane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct HooksPane {
    rows: Vec<HookRow>,
    places: Vec<Place>,
    /// Number of places that were not asked for, because there are too many.
    left_out: usize,
    cursor: usize,
    /// The first row on the screen after the last move.
    top: usize,
    reading: HooksLoad,
    /// Number of changes that Podio has not answered yet.
    changing: usize,
    /// Why the list of Podio's hooks is missing.
    refusal: Option<String>,
    /// Why the last change failed.
    fault: Option<String>,
    /// The hook after whose verification the list is read again.
    awaits: Option<u64>,
}

/// The state of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum HooksLoad {
    /// The list must be read.
    #[default]
    Wanted,
    /// The request with this number is running.
    Asked(Generation),
    /// The list has been read.
    Done,
}

impl HooksPane {
    /// Requests that the list is read again.
    fn reload(&mut self) {
        self.reading = HooksLoad::Wanted;
    }

    /// Returns whether the list is being read or must be read.
    fn is_reading(&self) -> bool {
        self.reading != HooksLoad::Done
    }

    /// Returns the request for the list if it must be read. `asked` counts
    /// the requests of all panes.
    pub(crate) fn ask(&mut self, asked: &mut Generation) -> Option<HooksEffect> {
        if self.reading != HooksLoad::Wanted {
            return None;
        }
        *asked += 1;
        self.reading = HooksLoad::Asked(*asked);
        let generation = *asked;
        Some(HooksEffect::LoadHooks { generation })
    }

    /// Handles an answer. Ignores the answer to an older request.
    fn on_listing(
        &mut self,
        generation: Generation,
        listing: Result<HookListing, String>,
        standings: Vec<HookStanding>,
    ) {
        if self.reading != HooksLoad::Asked(generation) {
            return;
        }
        self.reading = HooksLoad::Done;
        let selected = self.selected_row().map(HookRow::key);
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

    /// Records that Podio is asked for a change.
    fn begin_change(&mut self) {
        self.changing += 1;
        self.fault = None;
    }

    /// Asks Podio to verify the selected hook again.
    fn verify(&mut self) -> Option<HooksEffect> {
        let hook_id = self.selected_row()?.hook()?.hook.hook_id;
        self.begin_change();
        Some(HooksEffect::ChangeHook(HookChange::Verify { hook_id }))
    }

    /// Returns the description of the selected row, in lines of `room` cells.
    fn about(&self, keymap: &Keymap, room: usize) -> Option<Lines> {
        let lines = about(self.selected_row()?, room);
        Some(Lines::new("Hook", keymap.closes(), lines))
    }

    /// Returns the question whether to delete the selected hook, in lines of
    /// `room` cells, and the hook's id.
    fn delete_question(&self, keymap: &Keymap, room: usize) -> Option<(Lines, u64)> {
        let listed = self.selected_row()?.hook()?;
        let (hook_id, event) = (listed.hook.hook_id, &listed.hook.event);
        let question = format!("Delete hook {hook_id}, {event} on {}?", listed.place);
        let mut text = paragraph::lines(Role::Plain, &question, room);
        let url = Line::of(Role::Quiet, "to ").with(Role::Plain, &listed.hook.url);
        text.extend(url.wrap(room));
        if let Some(by) = &listed.hook.created_by {
            let by = Line::of(Role::Quiet, "made by ").with(Role::Plain, &by.name);
            text.extend(by.wrap(room));
        }
        let hint = [(Action::Accept, "deletes"), (Action::Back, "leaves")];
        let hint = keymap.hints(Context::Confirm, &hint);
        Some((Lines::new("Delete a hook", hint, text), hook_id))
    }

    /// Returns the URL of the selected hook without control characters: a
    /// pasted line break could run a command.
    fn url(&self) -> Option<String> {
        let listed = self.selected_row()?.hook()?;
        Some(listed.hook.url.replace(char::is_control, ""))
    }

    /// Handles the success of a change: reads the list now, and again when the
    /// verification of the hook `awaits` has ended.
    fn change_done(&mut self, awaits: Option<u64>) {
        self.changing = self.changing.saturating_sub(1);
        self.awaits = awaits.or(self.awaits);
        self.reload();
    }

    /// Handles the failure of a change.
    fn change_failed(&mut self, fault: String) {
        self.changing = self.changing.saturating_sub(1);
        self.fault = Some(fault);
    }

    /// Handles the end of the verification of these hooks.
    pub(crate) fn on_verified(&mut self, hook_ids: &[u64]) {
        if self.awaits.take_if(|id| hook_ids.contains(id)).is_some() {
            self.reload();
        }
    }

    /// Returns the places on which hooks can be created.
    fn places(&self) -> &[Place] {
        &self.places
    }

    /// Returns the row under the cursor.
    fn selected_row(&self) -> Option<&HookRow> {
        self.rows.get(self.cursor)
    }

    pub(crate) fn act(&mut self, action: Action, screen: Rect) {
        let height = view::height(self, screen).max(1);
        let moved = cursor::step(action, self.cursor, self.rows.len(), height);
        self.cursor = moved.unwrap_or(self.cursor);
        self.top = self.first(height);
    }

    /// Selects the row on a line of the window that was clicked, and returns its index.
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

    /// Returns the first row to show in `height` rows, so that the cursor is among them.
    fn first(&self, height: usize) -> usize {
        cursor::first(self.top, self.cursor, height)
    }
}

#[cfg(test)]
pub(crate) mod samples {
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
        let mut pane = HooksPane::default();
        let mut asked = 0;
        assert!(pane.ask(&mut asked).is_some());
        assert!(pane.ask(&mut asked).is_none(), "one question at a time");
        pane.reload();
        assert!(pane.ask(&mut asked).is_some());
        pane.on_listing(1, Err("too late".to_owned()), Vec::new());
        assert!(pane.is_reading() && pane.refusal.is_none());
        pane.on_listing(
            asked,
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
        let mut pane = HooksPane::default();
        pane.ask(&mut 0);
        pane.on_listing(1, Ok(hooks(&[5, 6, 7])), Vec::new());
        pane.act(Action::Bottom, SCREEN);
        for (generation, ids, selected) in [(2, &[4, 5, 6, 7, 8][..], 3), (3, &[4, 5][..], 1)] {
            pane.reload();
            pane.ask(&mut (generation - 1));
            pane.on_listing(generation, Ok(hooks(ids)), Vec::new());
            assert_eq!(pane.cursor, selected, "{ids:?}");
        }
        pane.reload();
        pane.ask(&mut 3);
        pane.on_listing(4, Ok(hooks(&[])), Vec::new());
        assert_eq!(pane.selected_row(), None);
        pane.act(Action::Down, SCREEN);
        assert_eq!(pane.cursor, 0);
    }

    #[test]
    fn only_the_awaited_verification_reads_the_list_again() {
        let mut pane = HooksPane::default();
        pane.begin_change();
        pane.change_done(Some(7));
        pane.ask(&mut 0);
        pane.on_verified(&[8]);
        assert_eq!(pane.ask(&mut 1), None);
        pane.on_verified(&[8, 7]);
        assert!(pane.ask(&mut 2).is_some());
        pane.on_verified(&[7]);
        assert_eq!(pane.ask(&mut 3), None, "forged ones cost no calls");
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

        let keys: Vec<_> = rows.iter().map(HookRow::key).collect();
        let wanted = [
            HookRow::Failed(failed),
            HookRow::Hook(Box::new(hook(7, "item.update", "x"))),
            HookRow::Called(called[1].clone()),
        ];
        assert_eq!(keys, wanted.each_ref().map(HookRow::key));
    }
}
