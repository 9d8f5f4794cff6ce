//! Turns untrusted bytes into printable text (invariant 7). Captured text reaches a cell only in
//! this way. Control characters, bidirectional overrides and invisible characters are shown and not
//! obeyed; every result has a known width and no line break. Knows nothing of events or screens.

use std::fmt::Write as _;

use podtap_agent::invisible::is_invisible;
use unicode_width::UnicodeWidthChar;

use crate::clusters::{clusters, width};

/// Maximum number of combining marks on one base character. Real scripts use at most three or four;
/// with more, text could paint over neighbouring lines.
const MAX_MARKS: usize = 4;

/// Text that is safe to draw: no control, format or invisible character, on one line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SafeText(String);

impl SafeText {
    /// Makes any text printable.
    pub fn new(text: &str) -> Self {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Self(text.to_owned());
        }
        let mut safe = SafeTextWriter::default();
        text.chars().for_each(|c| safe.push(c));
        Self(safe.text)
    }

    /// Makes any bytes printable. Bytes that are not UTF-8 become `\xNN`.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut safe = SafeTextWriter::default();
        for chunk in bytes.utf8_chunks() {
            chunk.valid().chars().for_each(|c| safe.push(c));
            for byte in chunk.invalid() {
                safe.escape(format_args!("\\x{byte:02x}"));
            }
        }
        Self(safe.text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the width, in cells.
    pub fn width(&self) -> usize {
        width(&self.0)
    }

    /// Returns the text cut to at most `cells`. A cut text ends with an ellipsis.
    #[must_use]
    pub fn fit(&self, cells: usize) -> Self {
        if self.width() <= cells {
            return self.clone();
        }
        let Some(room) = cells.checked_sub(1) else {
            return Self::default();
        };
        let (mut head, _) = self.split(room);
        head.0.push('…');
        head
    }

    /// Breaks the text into pieces: the first of at most `first` cells, the
    /// others of at most `then`.
    pub(crate) fn pieces(&self, first: usize, then: usize) -> Vec<Self> {
        if self.0.is_ascii() {
            let (head, rest) = self.0.split_at(first.min(self.0.len()));
            let rest = rest.as_bytes().chunks(then.max(1)).map(Self::from_bytes);
            return std::iter::once(Self(head.to_owned())).chain(rest).collect();
        }
        let mut pieces = vec![Self::default()];
        let mut room = first;
        for (cluster, width) in clusters(&self.0) {
            if width > room {
                pieces.push(Self::default());
                room = then;
            }
            room = room.saturating_sub(width);
            if let Some(piece) = pieces.last_mut() {
                piece.0.push_str(cluster);
            }
        }
        pieces
    }

    /// Returns the text without its first `cells`. If they end within a wide character, the number
    /// of that character's remaining cells comes with the text after it.
    pub(crate) fn skip(&self, cells: usize) -> (usize, Self) {
        let (mut used, mut at) = (0, 0);
        for (cluster, width) in clusters(&self.0) {
            if used >= cells {
                break;
            }
            used += width;
            at += cluster.len();
        }
        let (_, rest) = self.0.split_at(at);
        (used.saturating_sub(cells), Self(rest.to_owned()))
    }

    /// Returns the clusters, each of which is drawn into cells of its own.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = &str> {
        clusters(&self.0).map(|(cluster, _)| cluster)
    }

    /// Splits the text into the part that fits in `cells`, and the rest. Never splits a cluster.
    fn split(&self, cells: usize) -> (Self, Self) {
        let mut used = 0;
        let mut at = 0;
        for (cluster, width) in clusters(&self.0) {
            used += width;
            if used > cells {
                break;
            }
            at += cluster.len();
        }
        let (head, rest) = self.0.split_at(at);
        (Self(head.to_owned()), Self(rest.to_owned()))
    }
}

impl<T: AsRef<str>> From<T> for SafeText {
    fn from(text: T) -> Self {
        Self::new(text.as_ref())
    }
}

#[derive(Default)]
struct SafeTextWriter {
    text: String,
    /// Number of marks on the last base character; `None` at the start, where a mark has no base.
    marks: Option<usize>,
}

impl SafeTextWriter {
    fn push(&mut self, c: char) {
        match c {
            '\0'..='\x1f' => self.base(picture(c)),
            '\x7f' => self.base('␡'),
            // Presentation selectors change the width in some terminals but not in others.
            '\u{fe00}'..='\u{fe0f}' => {}
            _ if is_invisible(c) => self.escape(format_args!("<U+{:04X}>", u32::from(c))),
            // Terminals disagree about the width of characters that are wider than two cells.
            _ if c.width() > Some(2) => self.escape(format_args!("<U+{:04X}>", u32::from(c))),
            _ if c.width() == Some(0) => self.mark(c),
            _ => self.base(c),
        }
    }

    fn base(&mut self, c: char) {
        self.text.push(c);
        self.marks = Some(0);
    }

    fn mark(&mut self, c: char) {
        match &mut self.marks {
            Some(marks) if *marks < MAX_MARKS => {
                *marks += 1;
                self.text.push(c);
            }
            _ => self.text.push('\u{fffd}'),
        }
    }

    fn escape(&mut self, escaped: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(escaped);
        self.marks = None;
    }
}

/// Returns the control picture of a C0 character (Unicode block 2400, one cell each).
fn picture(c: char) -> char {
    char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (hostile, shown) in [
            ("plain é 日本", "plain é 日本"),
            ("\x1b[31mred\x07", "␛[31mred␇"),
            ("\x1b]52;c;AAAA\x1b\\", "␛]52;c;AAAA␛\\"),
            ("a\tb\r\nc\x7f", "a␉b␍␊c␡"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("evil\u{202e}txt", "evil<U+202E>txt"),
            ("zero\u{200b}width", "zero<U+200B>width"),
            ("\u{301}x", "\u{fffd}x"),
            ("❤\u{fe0f}", "❤"),
            ("a៘b", "a<U+17D8>b"),
        ] {
            assert_eq!(SafeText::new(hostile).as_str(), shown, "{hostile:?}");
        }
        assert_eq!(SafeText::from_bytes(b"a\xff\x00z").as_str(), "a\\xff␀z");
    }

    #[test]
    fn a_tower_of_marks_is_cut_down() {
        let tower = format!("a{}", "\u{301}".repeat(1_000));
        let safe = SafeText::new(&tower);
        assert!(!safe.as_str().contains(&"\u{301}".repeat(MAX_MARKS + 1)));
    }

    #[test]
    fn text_is_cut_between_graphemes_and_says_so() {
        let text = SafeText::new("日本語abc");
        assert_eq!(text.fit(9).as_str(), "日本語abc");
        assert_eq!(text.fit(6).as_str(), "日本…");
        assert_eq!(text.fit(1).as_str(), "…");
        assert_eq!(text.fit(0).as_str(), "");
        let (head, rest) = text.split(5);
        assert_eq!((head.as_str(), rest.as_str()), ("日本", "語abc"));
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_control_or_invisible_character(text in any::<String>()) {
            let safe = SafeText::new(&text);
            prop_assert!(!safe.as_str().chars().any(|c| c.is_control() || is_invisible(c)));
        }

        #[test]
        fn any_bytes_fit_where_they_should(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cells in 0_usize..40,
        ) {
            let safe = SafeText::from_bytes(&bytes);
            prop_assert!(!safe.as_str().chars().any(char::is_control));
            prop_assert!(safe.fit(cells).width() <= cells);
            let (head, rest) = safe.split(cells);
            prop_assert_eq!(format!("{}{}", head.as_str(), rest.as_str()), safe.as_str());
        }
    }
}
