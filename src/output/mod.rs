//! What goes to stdout: lines for people, JSON for programs. Errors never do.

pub(crate) mod feed;
pub(crate) mod json;
pub(crate) mod lines;

use std::io::Write as _;

use podtap_tui::SafeText;

use crate::failure::Failure;

/// Writes one line to stdout at once.
pub(crate) fn print(line: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

/// Text of the outside world as a terminal may show it: control characters are shown, not obeyed
/// (invariant 7).
pub(crate) fn printable(text: &str) -> String {
    SafeText::new(text).as_str().to_owned()
}
