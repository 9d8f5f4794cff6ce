//! A request as a file that a person edits: written, read back, and compared with what it was.

mod difference;
mod file;
mod run;

use podtap_agent::WebhookRequest;
use podtap_agent::history::EditedRequest;

pub(crate) use difference::difference;
pub(crate) use file::{parse, text, write};
pub(crate) use run::run_editor;

/// What a person made of a request in their editor.
#[derive(Debug)]
pub struct Edited {
    /// What is to be sent.
    pub request: EditedRequest,
    /// The lines in which it differs, each with `- ` or `+ ` in front, and a little around them.
    pub difference: Vec<String>,
}

/// Opens a request in a person's editor, a shell command that does not get the variables called
/// `secrets`, and reads back what it has become; `None` where it was left empty or as it was. For
/// commands without a UI of their own.
///
/// # Errors
/// In words: the editor failed, or what is in the file is no request.
pub async fn edit(
    editor: &str,
    secrets: &[String],
    request: &WebhookRequest,
) -> Result<Option<Edited>, String> {
    let before = write(request);
    let after = run_editor(editor, secrets, &before).await?;
    if after == before {
        return Ok(None);
    }
    let parsed = parse(&after).map_err(|error| error.to_string())?;
    Ok(parsed.map(|request| Edited {
        request,
        difference: difference(&before, &after)
            .iter()
            .map(crate::line::Line::text)
            .collect(),
    }))
}
