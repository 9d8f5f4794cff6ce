//! Lets a person edit a request in the browser, as the same file that the terminal UI opens in an
//! editor, and shows how the edited file differs.

use http::StatusCode;
use podtap_agent::history::{EditedRequest, Event};
use podtap_agent::request_file::{DiffLine, difference, parse, text};
use podtap_agent::{AgentHandle, EventId};
use serde::Serialize;

use crate::answer::{PageAnswer, error, json};

/// Maximum number of bytes of a body to edit. A browser is not a suitable editor for more.
const MAX_EDITED: usize = 512 * 1024;

#[derive(Debug, Serialize)]
struct EditedFile<'a> {
    text: &'a str,
}

#[derive(Debug, Serialize)]
struct Review {
    /// Why the file is not valid, so that it cannot be sent.
    error: Option<String>,
    /// The lines, each with its prefix: `- `, `+ ` or two spaces.
    difference: Vec<(&'static str, String)>,
}

/// Returns the file of an event as received.
pub(crate) async fn file(handle: &AgentHandle, id: EventId) -> PageAnswer {
    match event(handle, id).await {
        Ok(event) if event.request.body.len() > MAX_EDITED => error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large to edit here: use `podtap replay --edit`",
        ),
        Ok(event) => json(&EditedFile {
            text: &text(&event.request),
        }),
        Err(answer) => answer,
    }
}

/// Returns how an edited file differs from the event as received, and why it is not valid.
pub(crate) async fn review(handle: &AgentHandle, id: EventId, file: &str) -> PageAnswer {
    let event = match event(handle, id).await {
        Ok(event) => event,
        Err(answer) => return answer,
    };
    let review = Review {
        error: read(file).err(),
        difference: difference(&text(&event.request), &with_end(file))
            .into_iter()
            .map(|DiffLine { sign, text }| (sign.prefix(), text))
            .collect(),
    };
    json(&review)
}

/// Returns the request of an edited file.
pub(crate) fn read(file: &str) -> Result<EditedRequest, String> {
    match parse(&with_end(file)) {
        Ok(Some(edited)) => Ok(edited),
        Ok(None) => Err("there is nothing to send".to_owned()),
        Err(wrong) => Err(wrong.to_string()),
    }
}

/// Normalizes the text of a text field. A file ends with a line break that does not belong to the
/// body, but a text field has none at its end, and it sends line breaks as CR LF.
fn with_end(file: &str) -> String {
    let mut file = file.replace("\r\n", "\n");
    if !file.ends_with('\n') {
        file.push('\n');
    }
    file
}

async fn event(handle: &AgentHandle, id: EventId) -> Result<Event, PageAnswer> {
    match handle.history().event(id).await {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(error(
            StatusCode::NOT_FOUND,
            "the history does not have this event",
        )),
        Err(failed) => Err(error(StatusCode::SERVICE_UNAVAILABLE, &failed.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_field_holds_the_same_request_as_a_file() {
        let file = "POST /x\r\ncontent-type: text/plain\r\n\r\nabc";
        let edited = read(file).unwrap();
        assert_eq!((&*edited.path, &edited.body[..]), ("/x", &b"abc"[..]));
        assert_eq!(read(" \n").unwrap_err(), "there is nothing to send");
        assert!(read("POST").unwrap_err().starts_with("line 1"));
    }
}
