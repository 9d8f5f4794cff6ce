//! Opens a request in a person's editor and shows how the edited request differs from the original.

mod run;

use podtap_agent::WebhookRequest;
use podtap_agent::history::EditedRequest;
use podtap_agent::request_file::{self, DiffSign, parse, write};

pub(crate) use run::run_editor;

use crate::line::Line;
use crate::theme::Role;

/// A request that a person has edited.
#[derive(Debug)]
pub struct EditorResult {
    /// The request to send.
    pub request: EditedRequest,
    /// The lines in which it differs, each prefixed with `- ` or `+ `, and a few lines around them.
    pub difference: Vec<String>,
}

/// Opens a request in a person's editor and reads back the result; `None` if the file is empty or
/// unchanged. `editor` is a shell command, which does not get the variables in `secrets`. For
/// commands that have no UI of their own.
///
/// # Errors
/// In words, if the editor failed or the file is not a valid request.
pub async fn edit(
    editor: &str,
    secrets: &[String],
    request: &WebhookRequest,
) -> Result<Option<EditorResult>, String> {
    let before = write(request);
    let after = run_editor(editor, secrets, &before).await?;
    if after == before {
        return Ok(None);
    }
    let parsed = parse(&after).map_err(|error| error.to_string())?;
    Ok(parsed.map(|request| EditorResult {
        request,
        difference: difference(&before, &after).iter().map(Line::text).collect(),
    }))
}

/// Returns the difference between two texts as lines for the screen; empty if there is none.
pub(crate) fn difference(before: &str, after: &str) -> Vec<Line> {
    let differs = request_file::difference(before, after);
    let line = |line: &request_file::DiffLine| {
        let role = match line.sign {
            DiffSign::Same | DiffSign::LeftOut => Role::Quiet,
            DiffSign::Removed => Role::Failed,
            DiffSign::Added => Role::Ok,
        };
        Line::of(role, line.sign.prefix()).with(role, line.text.as_str())
    };
    differs.iter().map(line).collect()
}
