//! Turns keys and pasted text into actions, and sends each action to the
//! feature that carries it out.

use podtap_agent::LinkState;

use super::App;
use crate::archive::{ExportForm, ImportForm};
use crate::command::UiCommand;
use crate::compare::{compare_answers, compare_events};
use crate::copy::{CopyForm, CopyMenu, copy_selection};
use crate::detail::Tab;
use crate::edit::{EditEffect, EditorFile};
use crate::effect::Effect;
use crate::explain::ExplainEffect;
use crate::health::{self, HealthEffect};
use crate::keymap::{Action, Context, KeyPress};
use crate::layout::Pane;
use crate::loops::LoopsEffect;
use crate::modal::help::Help;
use crate::modal::palette::{CommandPalette, PaletteChoice};
use crate::modal::{FeatureForm, Modal, PendingAction};
use crate::notes::NoteForm;
use crate::repair;
use crate::replay::{ReplayForm, Starter};
use crate::target::TargetForm;
use crate::theme::Role;
use crate::timeline::TimelinePane;
use crate::trigger::TriggerForm;
use crate::tunnels::TunnelsPane;
use crate::web_page;
use crate::why::WhyForm;

impl App {
    /// Handles a key press. Returns whether the key does anything in the current state.
    pub(super) fn key(&mut self, key: KeyPress) -> bool {
        // While a person types, a character is text, even if it is bound to an action elsewhere.
        let action = if self.is_typing() && key.typed_char().is_some() {
            None
        } else {
            self.config.keymap.resolve(&self.contexts(), key)
        };
        self.asks_again = self.asks_again.filter(|asked| Some(*asked) == action);
        match (action, self.windows.top_mut()) {
            (Some(action @ (Action::Quit | Action::Suspend | Action::Help)), _) => self.act(action),
            (action, None) if self.search.is_open() => {
                let change = self.search.key(key, action, self.now);
                self.list.on_filter_change(change);
            }
            (action, None) if self.detail.is_finding() => self.detail.find_key(key, action),
            (Some(Action::Back), Some(_)) => self.back(),
            (action, Some(Modal::Palette(palette))) => {
                if let Some(choice) = palette.key(key, action, &self.config.keymap) {
                    self.windows.close();
                    self.choose(choice);
                }
            }
            (action, Some(Modal::Form(form))) => {
                if form.key(key, action) {
                    self.submit();
                }
            }
            (_, Some(Modal::Copy(_))) if let Some(form) = CopyForm::of(key) => {
                if let Some(Modal::Copy(menu)) = self.windows.close() {
                    let copied = menu.copy(form, &self.detail, &self.status);
                    self.run(copied);
                }
            }
            (Some(action), _) => self.act(action),
            (None, _) => return false,
        }
        true
    }

    /// Handles pasted text. Returns whether anything accepted the text.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        match self.windows.top_mut() {
            Some(Modal::Form(form)) => form.paste(text),
            Some(Modal::Palette(palette)) => palette.paste(text),
            _ => {
                self.detail.find_paste(text);
                let change = self.search.paste(text, self.now);
                self.list.on_filter_change(change);
                return self.is_typing();
            }
        }
        true
    }

    #[expect(clippy::too_many_lines, reason = "a table: one arm an action")]
    pub(super) fn act(&mut self, action: Action) {
        let is_in_detail = self.panes.focus == Pane::Detail;
        if self.windows.is_empty() && (action.concerns_event() || is_in_detail) {
            self.list.hold();
        }
        let selected = self.list.selected_event().map(|row| row.id);
        match action {
            Action::Quit => {
                let is_asked = self.windows.top().is_some_and(Modal::asks_to_quit);
                let question = self.replays.quit_question(&self.config.keymap);
                match question.filter(|_| !is_asked) {
                    Some(question) => {
                        let pending = Box::new(PendingAction::Quit);
                        self.windows.open(Modal::Confirm(question, pending));
                    }
                    None => self.quit(),
                }
            }
            Action::Suspend => self.run([UiCommand::Run(Effect::Suspend)]),
            Action::Back => self.back(),
            Action::Accept => self.accept(),
            Action::EditAgain => {
                let file = self.windows.edit_again();
                self.run(file.map(UiCommand::Run));
            }
            Action::Help if !matches!(self.windows.top(), Some(Modal::Help(_))) => {
                let help = Help::new(self.contexts());
                self.windows.open(Modal::Help(help));
            }
            _ if !self.windows.is_empty() => self.act_in_window(action),
            _ if self.list.lacks_event_for(action, is_in_detail) => {
                self.run::<Effect>([repair::no_event(&self.config.keymap)]);
            }
            Action::Palette => {
                let palette = CommandPalette::new(self.contexts(), self.config.filters.clone());
                self.windows.open(Modal::Palette(palette));
            }
            Action::Health => {
                self.windows.open(Modal::Health(0));
                self.run([UiCommand::Run(HealthEffect::Measure)]);
            }
            Action::Copy if is_in_detail && self.detail.is_selecting() => {
                let copied = copy_selection(&mut self.detail);
                self.run(copied);
            }
            Action::Copy => {
                let menu = CopyMenu::new(self.list.selected_event());
                self.windows.open(Modal::Copy(menu));
            }
            Action::Open if self.list.selected_burst().is_none() => {
                self.panes.focus = Pane::Detail;
            }
            Action::Open | Action::Fold => {
                let refused = self.list.fold();
                self.run(refused);
            }
            Action::Replay => {
                // If a range is being selected, the range is sent and not the earlier marks.
                let is_range = self.list.range().is_some();
                let found = is_range.then(|| self.list.mark_range()).flatten();
                let start = match found {
                    Some(_) => None,
                    None => self.starter().begin(is_in_detail),
                };
                self.run(found);
                if let Some(start) = start {
                    self.start_replay(start);
                }
            }
            Action::ReplayWith => {
                let form = ReplayForm::new(&self.list, self.status.target.as_ref());
                if let Some(form) = form {
                    self.windows.open_form(FeatureForm::Replay(form));
                }
            }
            Action::Trigger => {
                let event = selected.and_then(|id| self.detail.opened_event(id));
                let event = event.and_then(|event| event.podio.as_ref());
                let local = self.status.target.as_ref();
                let form = TriggerForm::new(event, &self.last_sent, local);
                self.windows.open_form(FeatureForm::Trigger(form));
            }
            Action::Follow
                if self.list.follows()
                    && self.list.has_held()
                    && self.status.link != LinkState::Off =>
            {
                self.act(Action::SetTarget);
            }
            Action::SetTarget => {
                let form = TargetForm::new(self.status.routes.rest());
                self.windows.open_form(FeatureForm::Target(form));
            }
            Action::Edit => {
                let Some(id) = selected else { return };
                match self.detail.opened_event(id).map(EditorFile::of) {
                    Some(file) => self.run([UiCommand::Run(file)]),
                    None => self.run([UiCommand::Run(EditEffect::Read { id })]),
                }
            }
            Action::Stop if self.replays.batch().is_some() => {
                let told = self.replays.stop();
                self.run(told);
            }
            Action::Stop => {
                let stopped = self.archive.stop(self.rate.others());
                self.run(stopped);
            }
            Action::CompareAnswers => self.run([compare_answers(&self.detail)]),
            Action::Compare => {
                let asked = compare_events(&self.list, &self.detail, self.env());
                self.run([asked]);
            }
            Action::Explain => {
                let asked = selected.and_then(|id| self.explain.ask(id, self.now));
                if asked.is_some() {
                    self.detail.open_tab(Tab::Diff);
                    self.panes.show_detail(!self.list.is_history_empty());
                }
                self.run(asked.map(UiCommand::Run));
            }
            Action::OpenItem => {
                self.run(selected.map(|id| UiCommand::Run(ExplainEffect::FindLink { id })));
            }
            Action::OpenPage => {
                let (page, remote) = (self.config.web.as_ref(), self.config.remote);
                let tunnel = self.config.tunnel_name(&self.status);
                let opened = web_page::open(page, tunnel, remote);
                self.run(opened);
            }
            Action::Hooks => self.windows.open(Modal::Hooks(Box::default())),
            Action::Timeline => match self.list.selected_event().map(TimelinePane::of) {
                Some(Ok(pane)) => self.windows.open(Modal::Timeline(Box::new(pane))),
                Some(Err(told)) => self.run([told]),
                None => {}
            },
            Action::Why => {
                let form = FeatureForm::Why(WhyForm::new(self.list.selected_event()));
                self.windows.open_form(form);
            }
            Action::Tunnels => match TunnelsPane::of(&self.tunnels) {
                Ok(pane) => self.windows.open(Modal::Tunnels(Box::new(pane))),
                Err(told) => self.run::<Effect>([told]),
            },
            Action::Repair => {
                let form = self.repairs.form(self.list.selected_gap());
                self.windows.open_form(FeatureForm::Repair(form));
            }
            Action::Faults => self.windows.open(Modal::Faults(Box::default())),
            Action::Pulses => self.windows.open(Modal::Pulses(Box::default())),
            Action::Release => {
                let object = self.list.selected_event().and_then(|row| row.object);
                self.run(object.map(|object| UiCommand::Run(LoopsEffect::Release { object })));
            }
            Action::Mark => {
                let found = self.list.mark();
                self.run(found);
                if is_in_detail {
                    self.run(self.list.mark_notice());
                } else {
                    self.move_within(Action::Down);
                }
            }
            Action::OnlyMarked => {
                let refused = self.list.toggle_marked();
                self.run(refused);
            }
            Action::Note => {
                if let Some(row) = self.list.selected_event() {
                    let form = FeatureForm::Note(NoteForm::new(row));
                    self.windows.open_form(form);
                }
            }
            Action::Export => {
                let tunnel = self.status.tunnel.as_deref();
                let form = ExportForm::new(&self.list, tunnel, self.config.env(self.now));
                if let Some(form) = form {
                    self.windows.open_form(FeatureForm::Export(form));
                }
            }
            Action::Import => {
                let form = FeatureForm::Import(ImportForm::new());
                self.windows.open_form(form);
            }
            Action::MarkRange => {
                let found = self.list.mark_range();
                self.run(found);
            }
            Action::MarkAll => self.run([self.list.mark_wanted()]),
            Action::Unmark => self.list.unmark_all(),
            Action::Filter => {
                self.list.begin_typing();
                let asked = self.search.open();
                self.run([UiCommand::Run(asked)]);
            }
            Action::Find => self.detail.open_find(),
            Action::Pause => {
                if let Some(changes) = self.pause.toggle(self.rate.newest()) {
                    self.list.on_change(&changes);
                    self.detail.on_change(&changes);
                }
            }
            Action::Zoom => self.panes.zoom(),
            _ => self.move_within(action),
        }
    }

    pub(super) fn move_within(&mut self, action: Action) {
        let Some(layout) = self.layout() else { return };
        let screen = self.panes.screen();
        let sheet = usize::from(layout.sheet().height);
        if let Some(Modal::Health(top)) = self.windows.top() {
            let top = health::scroll(self.health_props(), self.env(), screen, *top, action);
            self.windows.close();
            self.windows.open(Modal::Health(top));
            return;
        }
        match (self.windows.top_mut(), self.panes.focus, action) {
            (Some(window), ..) => window.act(action, &self.config.keymap, screen),
            (None, _, Action::FindNext) => self.detail.find_again(true, sheet),
            (None, _, Action::FindPrevious) => self.detail.find_again(false, sheet),
            (None, ..) if self.detail.turn(action) => {}
            (None, ..) if self.detail.reshape(action, sheet) => {}
            (None, Pane::List, _) => self.list.act(action, layout.list_height()),
            (None, Pane::Detail, _) => self.detail.act(action, sheet),
        }
    }

    /// Ends the UI. After this update, `update` ignores all messages.
    pub(super) fn quit(&mut self) {
        self.over = true;
        self.run([UiCommand::Run(Effect::Quit)]);
    }

    /// Takes one step back: stops the question to Podio, closes the top window, or
    /// goes back within the focused pane.
    pub(super) fn back(&mut self) {
        if self.windows.is_empty()
            && let Some(stopped) = self.explain.stop()
        {
            return self.run(stopped);
        }
        if self.windows.close().is_some() {
            return;
        }
        match self.panes.focus {
            Pane::Detail if self.detail.end_selection() || self.detail.clear_find() => {}
            Pane::Detail => self.panes.focus = Pane::List,
            Pane::List if self.list.end_range() => {}
            Pane::List => self.show_all(),
        }
    }

    /// Shows all events again, but only if the key is pressed twice in a row: a person who leaves
    /// something else may press it once too often.
    fn show_all(&mut self) {
        if !self.list.is_only_marked() && self.search.text().is_empty() {
            return;
        }
        if self.asks_again != Some(Action::Back) {
            self.asks_again = Some(Action::Back);
            let key = self.config.keymap.key_in(Context::List, Action::Back);
            let key = key.map(|key| key.to_string()).unwrap_or_default();
            let text = format!("{key} once more shows all events again");
            return self.toasts.show(Role::Quiet, text, self.now);
        }
        self.search.clear();
        self.list.show_all();
    }

    /// Carries out what a person chose in the palette or in a row of a table.
    pub(super) fn choose(&mut self, choice: PaletteChoice) {
        match choice {
            PaletteChoice::Act(action) => self.act(action),
            PaletteChoice::Copy(form) => {
                self.list.hold();
                let menu = CopyMenu::new(self.list.selected_event());
                let copied = menu.copy(form, &self.detail, &self.status);
                self.run(copied);
            }
            PaletteChoice::Filter(filter) => {
                let change = self.search.choose(&filter, self.now);
                self.list.on_filter_change(change);
                self.panes.focus = Pane::List;
            }
        }
    }

    /// Returns the state that decides how a replay begins.
    pub(super) fn starter(&self) -> Starter<'_> {
        Starter {
            list: &self.list,
            detail: &self.detail,
            local: self.status.target.as_ref(),
            keymap: &self.config.keymap,
        }
    }
}
