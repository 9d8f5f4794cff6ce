//! What Podio would think of the local service, hook by hook, and objects that are held because of
//! a loop.

use podtap_agent::HookStanding;
use podtap_podio::ObjectRef;

use super::App;
use crate::effect::Effect;
use crate::line::Line;
use crate::modal::Modal;
use crate::modal::lines::Lines;
use crate::theme::Role;
use crate::words;

/// Cells of the columns.
const HOOK: usize = 12;
const CONCLUSION: usize = 20;
const CALLS: usize = 12;

impl App {
    /// Asks how each hook would stand.
    pub(super) fn standings(effects: &mut Vec<Effect>) {
        effects.push(Effect::Standings);
    }

    /// The standings have come.
    pub(super) fn stand(&mut self, result: Result<Vec<HookStanding>, String>) {
        match result {
            Ok(standings) => {
                let window = Lines::new(
                    "Hooks: would the local service have survived Podio?",
                    self.keymap().closes(),
                    lines(&standings),
                );
                self.modals.push(Modal::Lines(window));
            }
            Err(error) => self.toasts.show(Role::Failed, error, self.now),
        }
    }

    /// Lets the selected event's object go, if its events are held because of a loop.
    pub(super) fn release(&self, effects: &mut Vec<Effect>) {
        let selected = self.list.selected().and_then(|row| row.object);
        effects.extend(selected.map(|object| Effect::Release { object }));
    }

    /// An object was let go, or was not held.
    pub(super) fn released(&mut self, object: ObjectRef, result: Result<bool, String>) {
        let (role, text) = match result {
            Ok(true) => (
                Role::Ok,
                format!("New events of {object} are delivered again"),
            ),
            Ok(false) => (Role::Quiet, format!("{object} is not held")),
            Err(error) => (Role::Failed, error),
        };
        self.toasts.show(role, text, self.now);
    }
}

fn lines(standings: &[HookStanding]) -> Vec<Line> {
    if standings.is_empty() {
        return vec![Line::of(Role::Quiet, "No hook was called within a week.")];
    }
    let heading = Line::new()
        .column(Role::Quiet, "hook", HOOK)
        .column(Role::Quiet, "Podio would say", CONCLUSION)
        .column(Role::Quiet, "calls", CALLS)
        .put(Role::Quiet, "failed · in 15 min · in 7 days");
    let rows = standings.iter().map(|standing| {
        let role = if standing.conclusion() == "active" {
            Role::Ok
        } else {
            Role::Failed
        };
        let failures = format!(
            "{} · {} · {}",
            standing.failed, standing.failed_soon, standing.failed_week
        );
        Line::new()
            .column(Role::Number, standing.hook_id.to_string(), HOOK)
            .column(role, standing.conclusion(), CONCLUSION)
            .column(Role::Plain, words::number(standing.calls), CALLS)
            .put(Role::Plain, failures)
    });
    std::iter::once(heading).chain(rows).collect()
}
