//! Copies an event, or a part of it, to the person's clipboard. The menu keeps the event for which
//! it was opened, even if another event is selected when a form is chosen.

mod effect;
mod menu;
#[cfg(test)]
mod tests;

use podtap_agent::Status;
use podtap_agent::history::Event;

pub(crate) use effect::{CopyAnswer, CopyEffect, run};
pub(crate) use menu::{CopyForm, CopyMenu, view};

use crate::command::UiCommand;
use crate::detail::Detail;
use crate::theme::Role;
use crate::words;
use menu::{MOST, is_obeyed};

impl CopyMenu {
    /// Copies the event in the form that was chosen in the menu.
    pub(crate) fn copy(
        self,
        form: CopyForm,
        detail: &Detail,
        status: &Status,
    ) -> Vec<UiCommand<CopyEffect>> {
        let Some((id, _)) = self.0 else {
            return copy_address(form, status);
        };
        match detail.opened_event(id) {
            Some(event) => copy_event(event, form, status),
            None => vec![UiCommand::Run(CopyEffect::Read { id, form })],
        }
    }
}

/// Copies the event that was read.
pub(crate) fn on_answer(answer: CopyAnswer, status: &Status) -> Vec<UiCommand<CopyEffect>> {
    let CopyAnswer::Read { form, result } = answer;
    match result {
        Ok(event) => copy_event(&event, form, status),
        Err(error) => vec![UiCommand::Notify(Role::Failed, error)],
    }
}

/// Copies the selected lines as they are shown, and ends the selection.
pub(crate) fn copy_selection(detail: &mut Detail) -> Vec<UiCommand<CopyEffect>> {
    let selected = detail.selected_text();
    detail.end_selection();
    let Some((text, lines)) = selected else {
        return Vec::new();
    };
    if text.len() > MOST {
        let error = "too large for the clipboard; select fewer lines, or export the event";
        return vec![UiCommand::notify(Role::Failed, error)];
    }
    let lines = u64::try_from(lines).unwrap_or(u64::MAX);
    let done = format!("Copied {}", words::count(lines, "line"));
    copy_and_notify(text.into_bytes(), done)
}

fn copy_event(event: &Event, form: CopyForm, status: &Status) -> Vec<UiCommand<CopyEffect>> {
    let local = status.target.as_ref();
    let public = status.public_url.as_deref();
    let name = words::whole_event(event);
    match form.bytes(event, local, public) {
        Ok(bytes) => {
            let mut done = format!("Copied the {} of {name}", form.name());
            if is_obeyed(&bytes) {
                done.push_str(", with control characters: do not paste it into a terminal");
            }
            copy_and_notify(bytes, done)
        }
        Err(error) => vec![UiCommand::Notify(Role::Failed, error)],
    }
}

/// Copies the URL for Podio, which is all that can be copied before the first event.
fn copy_address(form: CopyForm, status: &Status) -> Vec<UiCommand<CopyEffect>> {
    match (form, words::hook_url(status)) {
        (CopyForm::Url, Some(url)) => {
            let done = format!("Copied {url}");
            copy_and_notify(url.into_bytes(), done)
        }
        (CopyForm::Url, None) => {
            let text = "There is no public URL without a relay";
            vec![UiCommand::notify(Role::Failed, text)]
        }
        _ => vec![UiCommand::notify(Role::Quiet, "There is no event yet")],
    }
}

fn copy_and_notify(bytes: Vec<u8>, done: String) -> Vec<UiCommand<CopyEffect>> {
    vec![UiCommand::Copy(bytes), UiCommand::Notify(Role::Ok, done)]
}
