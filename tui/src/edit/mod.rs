//! An event edited: its file goes to the person's editor, and what comes back is shown as a
//! difference before it is sent.

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
    /// What is in the file.
    pub(crate) file: String,
    /// The file of the event as it came.
    pub(crate) before: String,
}

/// What a person made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EditedEvent {
    file: EditorFile,
    edited: EditedRequest,
}

impl EditorFile {
    /// The file of an event as it came.
    pub(crate) fn of(event: &Event) -> Self {
        let file = request_file::write(&event.request);
        Self {
            id: event.id,
            before: file.clone(),
            file,
        }
    }

    /// The editor has been left: what there is to send, `None` where the file was left empty.
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

/// What comes after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EditUpdate {
    Do(UiCommand<EditorFile>),
    /// This is to be confirmed before it is sent.
    Confirm(Box<EditedEvent>),
}

/// The event that was asked for goes to the editor; what has come back from there is confirmed.
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
    /// What is different, and the question whether to send it.
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

    /// The file, to be edited once more.
    pub(crate) fn file(&self) -> EditorFile {
        self.file.clone()
    }

    /// The event, and what is sent instead.
    pub(crate) fn into_request(self) -> (EventId, EditedRequest) {
        (self.file.id, self.edited)
    }
}
