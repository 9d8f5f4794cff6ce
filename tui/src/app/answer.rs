//! What came of the effects → which feature has to know. Routing only.

use super::App;
use crate::archive::ArchiveAnswer;
use crate::compare::CompareAnswer;
use crate::copy::CopyAnswer;
use crate::edit::{EditAnswer, EditorFile};
use crate::effect::Effect;
use crate::explain::{ExplainAnswer, ExplainEffect, Page};
use crate::health::HealthAnswer;
use crate::list::ListAnswer;
use crate::loops::LoopsAnswer;
use crate::message::Answer;
use crate::modal::{Modal, PendingAction};
use crate::notes::NotesAnswer;
use crate::replay::ReplayAnswer;
use crate::theme::Role;
use crate::trigger::TriggerAnswer;
use crate::{loops, trigger};

impl App {
    /// Gives an answer to the feature that asked.
    pub(super) fn on_answer(&mut self, answer: Answer) -> bool {
        match answer {
            Answer::Archive(ArchiveAnswer::Exported { result }) => self.exported(result),
            Answer::Archive(ArchiveAnswer::Imported { result }) => self.imported(result),
            Answer::Compare(CompareAnswer::Compared { id, result }) => match result {
                Ok(lines) => self.show_finding(id, lines),
                Err(error) => self.notify((Role::Failed, error)),
            },
            Answer::Copy(CopyAnswer::Read { form, result }) => {
                self.read_to_copy(form, result);
            }
            Answer::Detail(answer) => self.detail.on_answer(answer),
            Answer::Edit(EditAnswer::Read { result }) => match result {
                Ok(event) => self.start([EditorFile::of(&event)]),
                Err(error) => self.notify((Role::Failed, error)),
            },
            Answer::Edit(EditAnswer::Edited { id, before, result }) => {
                match EditorFile::read_back(id, before, result) {
                    Ok(Some(edited)) => {
                        let lines = edited.question(self.keymap());
                        self.modals
                            .push(Modal::Confirm(lines, Box::new(PendingAction::Send(edited))));
                    }
                    Ok(None) => self.notify((Role::Quiet, "Nothing was sent")),
                    Err(error) => self.notify((Role::Failed, error)),
                }
            }
            Answer::Explain(ExplainAnswer::Explained { id, result }) => {
                let lines = self.explain.on_answer(id, result, &self.config.keymap);
                self.show_finding(id, lines);
            }
            Answer::Explain(ExplainAnswer::Link { result }) => {
                match Page::of(result, self.config.remote) {
                    Page::Opens(effect) => {
                        if let ExplainEffect::Browse(link) = &effect {
                            self.notify((Role::Quiet, format!("Opening {link}")));
                        }
                        self.start([effect]);
                    }
                    Page::Copied(link) => {
                        self.notify((Role::Ok, format!("Copied {link}")));
                        self.start([Effect::ToClipboard(link.into_bytes())]);
                    }
                    Page::Refused(why) => self.notify((Role::Failed, why)),
                }
            }
            Answer::Explain(ExplainAnswer::Browsed { result })
            | Answer::Notes(NotesAnswer::Annotated { result }) => {
                if let Err(error) = result {
                    self.notify((Role::Failed, error));
                }
            }
            Answer::Figures(answer) => self.figures.on_answer(answer),
            Answer::Health(HealthAnswer::Measured { bytes, events }) => {
                self.measured(bytes, events);
            }
            Answer::Hooks(answer) => self.answer_hooks(answer),
            Answer::List(ListAnswer::Page { generation, result }) => {
                self.list.page(generation, result);
            }
            Answer::List(ListAnswer::Count {
                filter,
                took,
                result,
            }) => self.list.count(&filter, took, &result),
            Answer::List(ListAnswer::FoundAll { wanted, result }) => self.found_all(wanted, result),
            Answer::Loops(LoopsAnswer::Released { object, result }) => {
                self.notify(loops::release_notice(object, result));
            }
            Answer::Names(answer) => self.names.on_answer(answer),
            Answer::Rate(answer) => self.rate.on_answer(answer, self.now),
            Answer::Replay(ReplayAnswer::Replayed { id, result }) => self.replayed(id, result),
            Answer::Search(answer) => self.search.on_answer(answer),
            Answer::Timeline(answer) => self.timeline_loaded(answer),
            Answer::Pulses(answer) => self.pulses_counted(answer),
            Answer::Trigger(TriggerAnswer::Triggered { result }) => {
                self.notify(trigger::trigger_notice(result));
            }
        }
        true
    }
}
