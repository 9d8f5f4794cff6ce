//! The hooks as Podio has them: listed, made, verified and deleted.

mod about;
mod columns;
mod effect;
mod new_hook;
mod pane;
mod row;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use effect::{HookChange, HooksAnswer, HooksEffect, run};
pub(crate) use new_hook::NewHook;
pub(crate) use pane::Hooks;
#[cfg(test)]
pub(crate) use pane::tests as samples;
pub(crate) use view::{area, view};

use crate::theme::Role;

/// What came of a change, in words, and the hook to which Podio then sends a `hook.verify`.
pub(crate) fn changed(change: &HookChange, hook_id: u64) -> ((Role, String), Option<u64>) {
    let (text, is_verified) = match change {
        HookChange::Create { .. } => (
            format!("Made hook {hook_id}; Podio sends it a hook.verify"),
            true,
        ),
        HookChange::Verify { .. } => (format!("Podio sends hook {hook_id} a hook.verify"), true),
        HookChange::Delete { .. } => (format!("Deleted hook {hook_id}"), false),
    };
    ((Role::Ok, text), is_verified.then_some(hook_id))
}
