//! Keys, text and the mouse → what a person asked for.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::click::ClickTarget;
use super::{App, Zoom};
use crate::batch::Batch;
use crate::changes::Changes;
use crate::compare::{compare_answers, compare_events};
use crate::copy::CopyForm;
use crate::detail::Tab;
use crate::edit::{EditEffect, EditorFile};
use crate::effect::{Effect, Slot};
use crate::explain::ExplainEffect;
use crate::hooks::HookChange;
use crate::keymap::{Action, Key};
use crate::layout::Layout;
use crate::layout::Pane;
use crate::list::FindPurpose;
use crate::list::ListEffect;
use crate::list::marks::MOST_MARKS;
use crate::loops::LoopsEffect;
use crate::modal::help::Help;
use crate::modal::palette::{Palette, PaletteChoice};
use crate::modal::{Modal, PendingAction, Purpose};
use crate::mouse::{self, Gesture};
use crate::notes::NotedEvent;
use crate::replay::ReplayEffect;
use crate::theme::Role;
use crate::trigger::Offer;

/// Lines that a notch of the wheel moves.
const WHEEL_LINES: usize = 3;

impl App {
    /// A key was pressed; says whether it does anything here.
    pub(super) fn key(&mut self, key: Key) -> bool {
        // A character that is being typed is no command, whatever it does elsewhere.
        let action = if self.is_typing() && key.typed().is_some() {
            None
        } else {
            self.config.keymap.resolve(&self.contexts(), key)
        };
        self.asks_again = self
            .asks_again
            .take()
            .filter(|asked| Some(*asked) == action);
        match (action, self.modals.last_mut()) {
            (Some(action @ (Action::Quit | Action::Suspend)), _) => self.act(action),
            (Some(Action::Help), _) => self.act(Action::Help),
            (action, None) if self.search.is_open() => {
                let typed = self.search.key(key, action, self.now);
                self.typed(typed);
            }
            (action, None) if self.detail.is_finding() => self.detail.find_key(key, action),
            (Some(Action::Back), Some(_)) => self.back(),
            (action, Some(Modal::Palette(palette))) => {
                if let Some(chosen) = palette.key(key, action, &self.config.keymap) {
                    self.modals.pop();
                    self.chosen(chosen);
                }
            }
            (action, Some(Modal::Form(form, _))) => {
                let filled = form.key(key, action);
                self.filled(filled);
            }
            (_, Some(Modal::Copy(_))) if let Some(form) = CopyForm::of(key) => {
                self.copy(form);
            }
            (Some(action), _) => self.act(action),
            (None, _) => return false,
        }
        true
    }

    /// Text was pasted; says whether it went anywhere.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        match self.modals.last_mut() {
            Some(Modal::Form(form, _)) => {
                form.paste(text);
                return true;
            }
            Some(Modal::Palette(palette)) => {
                palette.paste(text);
                return true;
            }
            _ => {}
        }
        self.detail.find_paste(text);
        let typed = self.search.paste(text, self.now);
        self.typed(typed);
        self.is_typing()
    }

    /// The mouse did something; says whether that means anything.
    pub(super) fn mouse(&mut self, event: MouseEvent) -> bool {
        let Some(layout) = self.layout() else {
            return false;
        };
        if let MouseEventKind::Down(MouseButton::Left) = event.kind
            && let Some(means) = self.click(&layout, event)
        {
            return means;
        }
        let Some(gesture) = mouse::gesture(&layout, event, self.dragging) else {
            return false;
        };
        match (gesture, self.modals.is_empty()) {
            (Gesture::Scroll { down, .. }, false) => {
                self.move_within(if down { Action::Down } else { Action::Up });
            }
            (_, false) => return false,
            (Gesture::Row(line), _) => {
                self.focus = Pane::List;
                self.list.select_line(line, layout.list_height());
                if let Some(id) = self.list.selected().map(|row| row.id)
                    && self.clicks.is_double(ClickTarget::Event(id), self.now)
                {
                    self.act(Action::Open);
                }
            }
            (Gesture::Tab(tab), _) => {
                self.list.hold();
                self.detail.open_tab(tab);
            }
            (Gesture::Focus(pane), _) => {
                self.focus = pane;
                if pane == Pane::Detail {
                    self.list.hold();
                }
                self.press(event, &layout);
            }
            (Gesture::Pull, _) => return self.pull(event, &layout),
            (Gesture::LetGo, _) if self.detail.let_go() => self.copy_lines(),
            (Gesture::LetGo, _) => return false,
            (Gesture::Scroll { pane, down }, _) => self.scroll(pane, down, &layout),
            (Gesture::Grab, _) => self.dragging = true,
            (Gesture::Share(share), _) => self.share = share,
            (Gesture::Release, _) => self.dragging = false,
        }
        true
    }

    /// Whether characters are text, and not commands.
    pub(crate) fn is_typing(&self) -> bool {
        let typing = |modal: &Modal| matches!(modal, Modal::Palette(_) | Modal::Form(..));
        self.search.is_open() || self.detail.is_finding() || self.modals.last().is_some_and(typing)
    }

    #[expect(clippy::too_many_lines, reason = "a table: one arm an action")]
    pub(super) fn act(&mut self, action: Action) {
        if self.modals.is_empty() && (action.concerns_event() || self.focus == Pane::Detail) {
            self.list.hold();
        }
        match action {
            Action::Quit if self.asks_to_quit() => {}
            Action::Quit => self.quit(),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Back => self.back(),
            Action::Accept => self.accept(),
            Action::EditAgain => {
                if let Some(Modal::Confirm(_, pending)) = self.modals.last()
                    && let PendingAction::Send(edited) = pending.as_ref()
                {
                    let file = edited.file();
                    self.modals.pop();
                    self.start([file]);
                }
            }
            Action::Help if !matches!(self.modals.last(), Some(Modal::Help(_))) => {
                self.modals.push(Modal::Help(Help::new(self.contexts())));
            }
            _ if matches!(self.modals.last(), Some(Modal::Hooks(_))) => {
                self.act_on_hooks(action);
            }
            _ if self.modals.last().is_some_and(Modal::is_table) => self.act_on_table(action),
            _ if !self.modals.is_empty() => self.move_within(action),
            Action::Palette => {
                let palette = Palette::new(self.contexts(), self.config.filters.clone());
                self.modals.push(Modal::Palette(palette));
            }
            Action::Health => self.open_health(),
            Action::Copy if self.has_selection() => self.copy_lines(),
            Action::Copy => self.open_copy(),
            Action::Open if self.list.selected_burst().is_some() => self.fold(),
            Action::Open => self.focus = Pane::Detail,
            Action::Fold => self.fold(),
            Action::Replay => self.replay(),
            Action::ReplayWith => self.replay_with(),
            Action::Trigger => {
                let id = self.list.selected().map(|row| row.id);
                let event = id.and_then(|id| self.detail.opened_event(id));
                let selected = event.and_then(|event| event.podio.as_ref());
                let target = self.status.target.as_ref();
                let (form, offer) = Offer::form(selected, &self.last_sent, target);
                self.modals
                    .push(Modal::Form(form, Box::new(Purpose::Trigger(offer))));
            }
            Action::Edit => {
                if let Some(id) = self.list.selected().map(|row| row.id) {
                    match self.detail.opened_event(id).map(EditorFile::of) {
                        Some(file) => self.start([file]),
                        None => self.start([EditEffect::Read { id }]),
                    }
                }
            }
            Action::Stop => self.stop(),
            Action::CompareAnswers => self.start_or_say(compare_answers(&self.detail)),
            Action::Compare => {
                let asked = compare_events(&self.list, &self.detail, self.env());
                self.start_or_say(asked);
            }
            Action::Explain => self.ask_podio(),
            Action::OpenItem => {
                let id = self.list.selected().map(|row| row.id);
                self.start(id.map(|id| ExplainEffect::FindLink { id }));
            }
            Action::Hooks => self.modals.push(Modal::Hooks(Box::default())),
            Action::Timeline => self.open_timeline(),
            Action::Pulses => self.open_pulses(),
            Action::Release => {
                let object = self.list.selected().and_then(|row| row.object);
                self.start(object.map(|object| LoopsEffect::Release { object }));
            }
            Action::Mark => self.mark(),
            Action::OnlyMarked => self.toggle_marked(),
            Action::Note => {
                if let Some(row) = self.list.selected() {
                    let (form, event) = NotedEvent::form(row);
                    self.modals
                        .push(Modal::Form(form, Box::new(Purpose::Note(event))));
                }
            }
            Action::Export => self.export(),
            Action::Import => self.import(),
            Action::MarkRange => self.mark_range(),
            Action::MarkAll => self.effects.push(Effect::List(ListEffect::FindAll {
                filter: self.list.filter().clone(),
                most: MOST_MARKS,
                wanted: FindPurpose::Mark,
            })),
            Action::Unmark => self.unmark_all(),
            Action::Filter => self.open_filter(),
            Action::Find => self.detail.open_find(),
            Action::FindNext => self.find_again(true),
            Action::FindPrevious => self.find_again(false),
            Action::Pause => self.pause(),
            Action::Zoom => {
                self.zoom = match self.zoom {
                    Zoom::Both => Zoom::One,
                    Zoom::One => Zoom::Both,
                };
            }
            _ => self.move_within(action),
        }
    }

    /// Asks what the selected event was about. The tab Diff shows that, and for how long already.
    fn ask_podio(&mut self) {
        let Some(id) = self.list.selected().map(|row| row.id) else {
            return;
        };
        if let Some(asked) = self.explain.ask(id, self.now) {
            self.start([asked]);
            self.detail.open_tab(Tab::Diff);
            self.show_detail();
        }
    }

    /// Starts what can be, or says why it cannot.
    fn start_or_say<E: Into<Effect>>(&mut self, effect: Result<E, &'static str>) {
        match effect {
            Ok(effect) => self.start([effect]),
            Err(why) => self.notify((Role::Quiet, why)),
        }
    }

    pub(super) fn move_within(&mut self, action: Action) {
        let Some(layout) = self.layout() else { return };
        let screen = self.screen();
        match (self.modals.last_mut(), self.focus) {
            (Some(Modal::Health(_)), _) => self.scroll_health(action),
            (Some(modal), _) => modal.act(action, &self.config.keymap, screen),
            (None, _) if self.detail.turn(action) => {}
            (None, _) if self.detail.reshape(action, layout.sheet().height.into()) => {}
            (None, Pane::List) => self.list.act(action, layout.list_height()),
            (None, Pane::Detail) => self.detail.act(action, layout.sheet().height.into()),
        }
    }

    fn scroll(&mut self, pane: Pane, down: bool, layout: &Layout) {
        if pane == Pane::Detail {
            self.list.hold();
        }
        let action = if down { Action::Down } else { Action::Up };
        for _ in 0..WHEEL_LINES {
            match pane {
                Pane::List => self.list.act(action, layout.list_height()),
                Pane::Detail => self.detail.scroll(action, layout.sheet().height.into()),
            }
        }
    }

    fn find_again(&mut self, forward: bool) {
        if let Some(layout) = self.layout() {
            self.detail
                .find_again(forward, layout.sheet().height.into());
        }
    }

    fn quit(&mut self) {
        self.over = true;
        self.effects.push(Effect::Quit);
    }

    pub(super) fn back(&mut self) {
        if self.modals.is_empty() && self.explain.stop() {
            self.start([Effect::Stop(Slot::Explanation)]);
            return self.notify((Role::Quiet, "Podio is no longer asked"));
        }
        let is_in_detail = self.focus == Pane::Detail;
        let ends = |it: &mut Self| it.detail.end_selection() || it.detail.clear_find();
        if self.modals.pop().is_some() || (is_in_detail && ends(self)) {
            return;
        }
        if self.focus == Pane::List && !self.list.end_range() {
            self.show_all();
        }
        self.focus = Pane::List;
    }

    fn accept(&mut self) {
        if let Some(Modal::Confirm(_, pending)) = self.modals.pop_if(|modal| modal.asks()) {
            match *pending {
                PendingAction::ReplayAll {
                    events,
                    target,
                    rate,
                } => self.replay_all(Batch::new(events, target, rate)),
                PendingAction::Quit => self.quit(),
                PendingAction::DeleteHook { hook_id } => {
                    self.change_hook(HookChange::Delete { hook_id });
                }
                PendingAction::Send(edited) => {
                    let (id, edited) = edited.into_request();
                    let edited = Some(Box::new(edited));
                    let target = None;
                    self.start([ReplayEffect::Replay { id, target, edited }]);
                }
            }
        }
    }

    pub(super) fn chosen(&mut self, chosen: PaletteChoice) {
        match chosen {
            PaletteChoice::Act(action) => self.act(action),
            PaletteChoice::Copy(form) => {
                self.list.hold();
                self.open_copy();
                self.copy(form);
            }
            PaletteChoice::Filter(filter) => {
                let typed = self.search.choose(&filter, self.now);
                self.typed(typed);
                self.focus = Pane::List;
            }
        }
    }

    /// Holds the screen still, or lets it go on with all that has changed since.
    fn pause(&mut self) {
        match self.held.take() {
            Some((held, _)) => {
                self.list.on_change(&held);
                self.detail.on_change(&held);
            }
            None => self.held = Some((Changes::default(), self.rate.newest())),
        }
    }

    fn fold(&mut self) {
        if !self.list.fold() {
            self.toasts
                .show(Role::Quiet, "There is no burst here", self.now);
        }
    }

    /// The whole screen.
    pub(crate) fn screen(&self) -> Rect {
        Rect::new(0, 0, self.size.width, self.size.height)
    }
}
