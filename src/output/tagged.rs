//! Marks each printed line with its tunnel if there are
//! several: by its name in front, or in a JSON field.

use std::borrow::Cow;

use super::json::JsonObject;
use super::{Printable, print};
use crate::failure::Failure;

/// Prints the lines and objects of one tunnel.
#[derive(Debug, Clone, Default)]
pub(crate) struct TunnelOutput(Option<TunnelTag>);

#[derive(Debug, Clone)]
struct TunnelTag {
    tunnel: String,
    /// Cells of the longest tunnel name.
    width: usize,
}

/// Text that is safe for the terminal.
struct VisibleText(String);

impl Printable for VisibleText {
    fn text(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

impl TunnelOutput {
    /// Returns the output of a tunnel beside others; `width` is the length of the longest name.
    pub(crate) fn of(tunnel: &str, width: usize) -> Self {
        let tunnel = tunnel.to_owned();
        Self(Some(TunnelTag { tunnel, width }))
    }

    /// Prints a line for people.
    pub(crate) fn line(&self, line: &(impl Printable + ?Sized)) -> Result<(), Failure> {
        match &self.0 {
            None => print(line),
            Some(TunnelTag { tunnel, width }) => {
                print(&VisibleText(format!("{tunnel:width$}  {}", line.text())))
            }
        }
    }

    /// Prints a line of JSON.
    pub(crate) fn json(&self, line: &str) -> Result<(), Failure> {
        match (&self.0, line.strip_suffix('}')) {
            (Some(TunnelTag { tunnel, .. }), Some(rest)) => {
                // A tunnel's name has no characters that JSON escapes.
                print(&format!("{rest},\"tunnel\":\"{tunnel}\"}}"))
            }
            _ => print(line),
        }
    }

    /// Prints an object.
    pub(crate) fn object(&self, object: &JsonObject<'_>) -> Result<(), Failure> {
        match object {
            // This object contains the name already.
            JsonObject::Ready(_) => print(&object.to_line()),
            _ => self.json(&object.to_line()),
        }
    }
}
