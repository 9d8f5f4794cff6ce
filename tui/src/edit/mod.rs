//! Edits an event: its request goes to the person's editor as a file, and the changes are shown as
//! a difference before the request is sent.

mod effect;

use podtap_agent::EventId;
use podtap_agent::history::{EditedRequest, Event};
use podtap_agent::request_file;

pub(crate) use effect::{EditAnswer, EditEffect, run};

use crate::command::UiCommand;
use crate::editor;
use crate::keymap::{Action, Context, Keymap};
use crate::line::Line;
use crate::theme::Role;
use crate::widget::lines::Lines;

/// A file for the editor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EditorFile {
    /// The event that is edited.
    pub(crate) id: EventId,
    /// The text to edit.
    pub(crate) file: String,
    /// The text of the file with the event as received.
    pub(crate) before: String,
}

/// An event that a person has edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EditedEvent {
    file: EditorFile,
    edited: EditedRequest,
}

impl EditorFile {
    /// Creates the file of an event as received.
    pub(crate) fn of(event: &Event) -> Self {
        let file = request_file::write(&event.request);
        Self {
            id: event.id,
            before: file.clone(),
            file,
        }
    }

    /// Reads the file after the editor has ended. Returns the edited event;
    /// `None` if the file is empty.
    fn read_back(
        id: EventId,
        before: String,
        result: Result<String, String>,
    ) -> Result<Option<EditedEvent>, String> {
        let file = result?;
        let edited = request_file::parse(&file);
        let edited = edited.map_err(|error| format!("nothing was sent: {error}"))?;
        let file = Self { id, file, before };
        Ok(edited.map(|edited| EditedEvent { file, edited }))
    }
}

/// What to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EditUpdate {
    Do(UiCommand<EditorFile>),
    /// Asks a person to confirm this before it is sent.
    Confirm(Box<EditedEvent>),
}

/// Opens the editor with an event that was read, or asks for confirmation of an edited event.
pub(crate) fn on_answer(answer: EditAnswer) -> EditUpdate {
    let edited = match answer {
        EditAnswer::Read { result: Ok(event) } => {
            return EditUpdate::Do(UiCommand::Run(EditorFile::of(&event)));
        }
        EditAnswer::Read { result: Err(error) } => Err(error),
        EditAnswer::Edited { id, before, result } => EditorFile::read_back(id, before, result),
    };
    match edited {
        Ok(Some(edited)) => EditUpdate::Confirm(Box::new(edited)),
        Ok(None) => EditUpdate::Do(UiCommand::notify(Role::Quiet, "Nothing was sent")),
        Err(error) => EditUpdate::Do(UiCommand::Notify(Role::Failed, error)),
    }
}

impl EditedEvent {
    /// Returns the difference, and the question whether to send the event.
    pub(crate) fn question(&self, keymap: &Keymap) -> Lines {
        let mut lines = editor::difference(&self.file.before, &self.file.file);
        if lines.is_empty() {
            lines.push(Line::of(Role::Quiet, "Nothing was changed."));
        }
        let hint = [
            (Action::Accept, "sends"),
            (Action::EditAgain, "edits again"),
            (Action::Back, "leaves"),
        ];
        let hint = keymap.hints(Context::Confirm, &hint);
        Lines::new("Replay this instead", hint, lines)
    }

    /// Returns the file, to edit it once more.
    pub(crate) fn file(&self) -> EditorFile {
        self.file.clone()
    }

    /// Returns the id of the event, and the request to send instead.
    pub(crate) fn into_request(self) -> (EventId, EditedRequest) {
        (self.file.id, self.edited)
    }
}
