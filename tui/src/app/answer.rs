//! Routes the answers to effects to the features that need them. Decides nothing itself.

use podtap_agent::EventId;

use super::App;
use crate::compare::CompareAnswer;
use crate::config::UiConfig;
use crate::edit::EditUpdate;
use crate::explain::ExplainUpdate;
use crate::line::Line;
use crate::list::{FindPurpose, ListAnswer};
use crate::message::FeatureAnswer;
use crate::modal::{Modal, PendingAction};
use crate::repair::{RepairAnswer, RepairEffect};
use crate::replay::ReplayAnswer;
use crate::target::TargetAnswer;
use crate::theme::Role;
use crate::why::{WhyAnswer, WhyEffect};
use crate::widget::lines::Lines;
use crate::{copy, edit, hooks, loops, notes, repair, target, trigger, why};

impl App {
    /// Passes an answer to the feature that asked. Returns whether the screen may have changed.
    #[expect(clippy::too_many_lines, reason = "a table: one arm a feature")]
    pub(super) fn on_answer(&mut self, answer: FeatureAnswer) -> bool {
        match answer {
            FeatureAnswer::Archive(answer) => {
                let is_typing = self.is_typing();
                let done = self.archive.on_answer(answer);
                let told = match done {
                    Ok(told) => Some(told),
                    Err(fault) => self.windows.reopen_form(fault, is_typing),
                };
                self.run(told);
            }
            FeatureAnswer::Compare(CompareAnswer::Compared { id, result }) => match result {
                Ok(lines) => self.show_finding(id, lines),
                Err(error) => self.toasts.show(Role::Failed, error, self.now),
            },
            FeatureAnswer::Copy(answer) => self.run(copy::on_answer(answer, &self.status)),
            FeatureAnswer::Detail(answer) => self.detail.on_answer(answer),
            FeatureAnswer::Edit(answer) => match edit::on_answer(answer) {
                EditUpdate::Do(command) => self.run([command]),
                EditUpdate::Confirm(edited) => {
                    let question = edited.question(&self.config.keymap);
                    let pending = Box::new(PendingAction::Send(*edited));
                    self.windows.open(Modal::Confirm(question, pending));
                }
            },
            FeatureAnswer::Explain(answer) => {
                let UiConfig { keymap, remote, .. } = &self.config;
                match self.explain.on_answer(answer, keymap, *remote) {
                    ExplainUpdate::Do(commands) => self.run(commands),
                    ExplainUpdate::Show(id, lines) => self.show_finding(id, lines),
                }
            }
            FeatureAnswer::Figures(answer) => self.figures.on_answer(answer),
            FeatureAnswer::Health(answer) => self.health.on_answer(answer),
            FeatureAnswer::Hooks(answer) => {
                let told = hooks::on_answer(self.windows.hooks(), answer);
                self.run(told);
            }
            FeatureAnswer::List(ListAnswer::FoundAll { purpose, result }) => {
                match (purpose, result) {
                    (FindPurpose::Mark, Ok(found)) => {
                        let told = self.list.on_found_to_mark(found);
                        self.run([told]);
                    }
                    (FindPurpose::Replay(options), Ok(found)) => {
                        let start = self.starter().on_found(found, options);
                        self.start_replay(start);
                    }
                    (_, Err(error)) => self.toasts.show(Role::Failed, error, self.now),
                }
            }
            FeatureAnswer::List(ListAnswer::Page { generation, result }) => {
                self.list.page(generation, result);
                let keymap = &self.config.keymap;
                let told = self.repairs.on_rows(&self.list, self.now, keymap);
                self.run(told);
            }
            FeatureAnswer::List(ListAnswer::Count {
                filter,
                took,
                result,
            }) => self.list.count(&filter, took, &result),
            FeatureAnswer::Loops(answer) => self.run([loops::on_answer(answer)]),
            FeatureAnswer::Names(answer) => self.names.on_answer(answer),
            FeatureAnswer::Notes(answer) => self.run(notes::on_answer(answer)),
            FeatureAnswer::Rate(answer) => self.rate.on_answer(answer, self.now),
            FeatureAnswer::Repair(RepairAnswer::Looked { dry_run, result }) => match result {
                Ok(repaired) => {
                    let lines = repair::lines(&repaired, dry_run, &self.config.zone);
                    let hint = self.env().keymap.closes();
                    let lines = Lines::new("Lost events", hint, lines);
                    self.windows.ask_later(Modal::Lines(lines));
                }
                Err(fault) => {
                    let is_typing = self.is_typing();
                    let told = self.windows.reopen_form::<RepairEffect>(fault, is_typing);
                    self.run(told);
                }
            },
            FeatureAnswer::Replay(answer) => {
                let ReplayAnswer::Replayed { id, .. } = answer;
                // An event that a person replayed is updated even while the screen is paused.
                if self.pause.is_on() {
                    let changes = self.list.touch(id);
                    self.list.on_change(&changes);
                    self.detail.on_change(&changes);
                }
                let told = self.replays.on_answer(answer, &self.list, &self.detail);
                self.run(told);
            }
            FeatureAnswer::Search(answer) => self.search.on_answer(answer),
            FeatureAnswer::Target(TargetAnswer::Set { result }) => {
                let is_typing = self.is_typing();
                let told = match result {
                    Ok(target) => Some(target::announce(target.as_ref())),
                    Err(fault) => self.windows.reopen_form(fault, is_typing),
                };
                self.run(told);
            }
            FeatureAnswer::Timeline(answer) => {
                if let Some(pane) = self.windows.timeline() {
                    pane.on_answer(answer);
                }
            }
            FeatureAnswer::Faults(answer) => {
                if let Some(pane) = self.windows.faults() {
                    pane.on_answer(answer);
                }
            }
            FeatureAnswer::Pulses(answer) => {
                if let Some(pulses) = self.windows.pulses() {
                    pulses.on_answer(answer);
                }
            }
            FeatureAnswer::Trigger(answer) => self.run([trigger::on_answer(answer)]),
            FeatureAnswer::Why(WhyAnswer::Answered { result }) => match result {
                Ok(answer) => {
                    let hint = self.env().keymap.closes();
                    let lines = Lines::new("Why", hint, why::lines(&answer));
                    self.windows.ask_later(Modal::Lines(lines));
                }
                Err(fault) => {
                    let is_typing = self.is_typing();
                    let told = self.windows.reopen_form::<WhyEffect>(fault, is_typing);
                    self.run(told);
                }
            },
        }
        true
    }

    /// Shows lines about an event in the detail, unless another event has been selected meanwhile.
    fn show_finding(&mut self, id: EventId, lines: Vec<Line>) {
        if self.list.selected_event().map(|row| row.id) == Some(id) {
            self.detail.show_finding(id, lines);
            self.panes.show_detail(!self.list.is_history_empty());
        }
    }
}
