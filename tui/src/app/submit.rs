//! Passes a submitted form or a confirmed question to its feature.

use super::App;
use crate::command::UiCommand;
use crate::hooks::{HookChange, request_change};
use crate::keymap::Action;
use crate::modal::{FeatureForm, Modal, PendingAction};
use crate::replay::{ReplayEffect, ReplayStart};
use crate::theme::Role;

impl App {
    /// Submits the open form: closes it, or shows why it cannot be submitted.
    pub(super) fn submit(&mut self) {
        let Some(Modal::Form(form)) = self.windows.close() else {
            return;
        };
        let local = self.status.target.as_ref();
        let done = match form.fields() {
            FeatureForm::Replay(fields) => {
                let started = fields.read(self.list.total().is_some());
                started.map(|start| self.start_replay(start))
            }
            FeatureForm::Export(fields) => {
                let effect = fields.read(local.cloned().unwrap_or_default());
                effect.map(|effect| {
                    self.run([UiCommand::Run(effect)]);
                    self.windows.keep_submitted(form.clone());
                })
            }
            FeatureForm::Import(fields) => {
                let effect = self.archive.import(fields, self.rate.others());
                effect.map(|effect| {
                    self.run([UiCommand::Run(effect)]);
                    self.windows.keep_submitted(form.clone());
                })
            }
            FeatureForm::Note(fields) => {
                self.run([UiCommand::Run(fields.read())]);
                Ok(())
            }
            FeatureForm::Target(fields) => fields.read().map(|effect| {
                self.run([UiCommand::Run(effect)]);
                self.windows.keep_submitted(form.clone());
            }),
            FeatureForm::Repair(fields) => fields.read(self.now).map(|effect| {
                let told = UiCommand::notify(Role::Quiet, "Looking for lost events …");
                self.run([UiCommand::Run(effect), told]);
                self.windows.keep_submitted(form.clone());
            }),
            FeatureForm::Why(fields) => {
                self.run([UiCommand::Run(fields.read())]);
                self.windows.keep_submitted(form.clone());
                Ok(())
            }
            FeatureForm::Trigger(fields) => {
                let effect = fields.read(local, &mut self.last_sent, self.now);
                effect.map(|effect| {
                    self.run([UiCommand::Run(effect)]);
                    // The new event becomes the newest, and a person wants to see it now.
                    self.list.act(Action::Follow, 0);
                })
            }
            FeatureForm::Hook(fields) => fields.read().map(|change| {
                let requested = request_change(self.windows.hooks(), change);
                self.run([requested]);
            }),
        };
        if let Err(fault) = done {
            self.windows
                .open(Modal::Form(Box::new(form.with_fault(fault))));
        }
    }

    /// Carries out the action that was confirmed in the top window.
    pub(super) fn accept(&mut self) {
        match self.windows.take_confirmed() {
            Some(PendingAction::Replay(request)) => {
                self.start_replay(ReplayStart::SendAll(request));
            }
            Some(PendingAction::Quit) => self.quit(),
            Some(PendingAction::DeleteHook { hook_id }) => {
                let change = HookChange::Delete { hook_id };
                let requested = request_change(self.windows.hooks(), change);
                self.run([requested]);
            }
            Some(PendingAction::Send(edited)) => {
                let (id, edited) = edited.into_request();
                let edited = Some(Box::new(edited));
                let target = None;
                self.run([UiCommand::Run(ReplayEffect::Replay { id, target, edited })]);
            }
            None => {}
        }
    }

    pub(super) fn start_replay(&mut self, start: ReplayStart) {
        match start {
            ReplayStart::Send(effect) => self.run([UiCommand::Run(effect)]),
            ReplayStart::SendAll(request) => {
                let refused = self.replays.start(request);
                self.run(refused);
            }
            ReplayStart::Find(effect) => self.run([UiCommand::Run(effect)]),
            ReplayStart::Ask(lines, request) => {
                let pending = Box::new(PendingAction::Replay(request));
                self.windows.ask_later(Modal::Confirm(lines, pending));
            }
        }
    }
}
