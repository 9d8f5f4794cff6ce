//! Writes to stdout: lines for people, JSON for programs. Errors and advice go to stderr.

pub(crate) mod feed;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod question;
mod ready;
pub(crate) mod table;
pub(crate) mod tagged;

use std::borrow::Cow;
use std::io::Write as _;

use crate::failure::Failure;
pub(crate) use crate::printable::printable;
use crate::printable::visible;
use crate::style::StyledLine;

/// Text that can be printed: either text in which a terminal
/// finds nothing to obey, or a line with Podtap's own colours.
pub(crate) trait Printable {
    /// Returns the text as it is printed.
    fn text(&self) -> Cow<'_, str>;
}

impl Printable for str {
    fn text(&self) -> Cow<'_, str> {
        visible(self)
    }
}

impl Printable for String {
    fn text(&self) -> Cow<'_, str> {
        visible(self)
    }
}

impl Printable for StyledLine {
    fn text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

/// Writes one or more lines to stdout and flushes it.
pub(crate) fn print(line: &(impl Printable + ?Sized)) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", line.text())?;
    Ok(stdout.flush()?)
}

/// Writes advice to stderr. If stderr is closed, no one reads it, so a failed write is ignored.
pub(crate) fn note(text: &str) {
    let line = format!("{}\n", visible(text));
    std::io::stderr().lock().write_all(line.as_bytes()).ok();
}
