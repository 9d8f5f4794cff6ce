//! The one door for text from outside to the terminal: what a terminal would obey is shown
//! (invariant 7).

use std::borrow::Cow;

use podtap_agent::invisible::is_invisible;
use podtap_tui::SafeText;

/// Text of the outside world on one line of a terminal.
pub(crate) fn printable(text: &str) -> String {
    SafeText::new(text).as_str().to_owned()
}

/// Whether a terminal would obey or hide a part of the text; line breaks are left to the caller.
pub(crate) fn is_hostile(text: &str) -> bool {
    text.contains(|c: char| (c.is_control() && c != '\n') || is_invisible(c))
}

/// Text that keeps its line breaks, and every visible character as it is: what is exact, such as
/// JSON or a shell line, has no others and comes out unchanged.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !is_hostile(text) {
        return text.into();
    }
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    lines.join("\n").into()
}
