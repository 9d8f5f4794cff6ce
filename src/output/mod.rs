//! What goes to stdout: lines for people, JSON for programs. Errors never do, and advice goes to
//! stderr.

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

/// What can be printed: text, of which a terminal obeys nothing, or a line that has our colours.
pub(crate) trait Printed {
    /// As it goes out.
    fn text(&self) -> Cow<'_, str>;
}

impl Printed for str {
    fn text(&self) -> Cow<'_, str> {
        visible(self)
    }
}

impl Printed for String {
    fn text(&self) -> Cow<'_, str> {
        visible(self)
    }
}

impl Printed for StyledLine {
    fn text(&self) -> Cow<'_, str> {
        self.as_str().into()
    }
}

/// Writes one line, or several, to stdout at once.
pub(crate) fn print(line: &(impl Printed + ?Sized)) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", line.text())?;
    Ok(stdout.flush()?)
}

/// Writes advice to stderr, beside the results. A stderr that is gone has no reader.
pub(crate) fn note(text: &str) {
    let line = format!("{}\n", visible(text));
    std::io::stderr().lock().write_all(line.as_bytes()).ok();
}
