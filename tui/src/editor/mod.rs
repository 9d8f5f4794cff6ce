//! A request in a person's editor, and how what they made of it differs from what it was.

mod run;

use podtap_agent::WebhookRequest;
use podtap_agent::history::EditedRequest;
use podtap_agent::request_file::{self, DiffSign, parse, write};

pub(crate) use run::run_editor;

use crate::line::Line;
use crate::theme::Role;

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
        difference: difference(&before, &after).iter().map(Line::text).collect(),
    }))
}

/// The difference between two texts as lines of the screen; empty where there is none.
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
