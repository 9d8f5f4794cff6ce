//! Makes text from outside safe for the terminal: control characters
//! are shown, not obeyed (invariant 7). All such text passes here.

use std::borrow::Cow;

use podtap_agent::invisible::is_invisible;
use podtap_tui::SafeText;

/// Returns text from outside as one line that is safe for a terminal.
pub(crate) fn printable(text: &str) -> String {
    SafeText::new(text).as_str().to_owned()
}

/// Returns whether the text has a character that a
/// terminal would obey or hide. Line breaks do not count.
pub(crate) fn is_hostile(text: &str) -> bool {
    text.contains(|c: char| (c.is_control() && c != '\n') || is_invisible(c))
}

/// Returns the text with hostile characters made visible. Line breaks and all visible
/// characters stay, so exact text such as JSON or a shell command comes out unchanged.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !is_hostile(text) {
        return text.into();
    }
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    lines.join("\n").into()
}
