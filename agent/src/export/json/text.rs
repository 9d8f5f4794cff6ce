//! Writes JSON as text that no terminal obeys: characters that `serde_json` does not escape and a
//! terminal acts on or hides (U+007F to U+009F, direction marks, invisible characters) are written
//! as `\\uXXXX`, which parses to the same value (invariant 7).

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

use crate::invisible::is_invisible;

/// Returns a value on one line. Only for values whose
/// maps have text as keys: writing them cannot fail.
pub fn to_line(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    write(&mut text, value).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
}

/// Returns a value on several lines, for people.
pub(crate) fn to_pretty(value: &impl Serialize) -> String {
    let mut text = Vec::new();
    let formatter = VisibleFormatter(PrettyFormatter::new());
    let mut serializer = Serializer::with_formatter(&mut text, formatter);
    value.serialize(&mut serializer).unwrap_or_default();
    String::from_utf8(text).unwrap_or_default()
}

/// Writes a value on one line, without the line's end.
pub(crate) fn write(to: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(to, VisibleFormatter(CompactFormatter));
    Ok(value.serialize(&mut serializer)?)
}

/// A formatter that wraps another one and makes every character visible.
struct VisibleFormatter<F>(F);

/// Passes calls that do not concern characters to the inner formatter.
macro_rules! pass_on {
    ($($method:ident($($argument:ident: $kind:ty)?)),* $(,)?) => {
        $(
            fn $method<W: ?Sized + Write>(&mut self, to: &mut W $(, $argument: $kind)?) -> io::Result<()> {
                self.0.$method(to $(, $argument)?)
            }
        )*
    };
}

impl<F: Formatter> Formatter for VisibleFormatter<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((before, hidden, after)) = split_at_hidden(rest) {
            self.0.write_string_fragment(to, before)?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(to, "\\u{unit:04x}")?;
            }
            rest = after;
        }
        self.0.write_string_fragment(to, rest)
    }

    pass_on! {
        begin_array(),
        end_array(),
        begin_array_value(first: bool),
        end_array_value(),
        begin_object(),
        end_object(),
        begin_object_key(first: bool),
        end_object_key(),
        begin_object_value(),
        end_object_value(),
    }
}

/// Splits the text at its first hidden character.
fn split_at_hidden(text: &str) -> Option<(&str, char, &str)> {
    let is_hidden = |c: char| c == '\u{7f}' || is_invisible(c);
    let at = text.find(is_hidden)?;
    let (before, rest) = text.split_at_checked(at)?;
    let mut rest = rest.chars();
    Some((before, rest.next()?, rest.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_written_as_numbers() {
        for (text, line) in [
            ("plain é 日本", "\"plain é 日本\""),
            ("\x1b[2J", r#""\u001b[2J""#),
            ("a\u{7f}\u{9b}31m", r#""a\u007f\u009b31m""#),
            ("evil\u{202e}txt", r#""evil\u202etxt""#),
            ("\u{e0041}", r#""\udb40\udc41""#),
        ] {
            assert_eq!(to_line(&text), line);
        }
    }

    proptest! {
        #[test]
        fn the_value_stays_the_same(name in ".*", text in any::<String>()) {
            let value = serde_json::json!({ name: [text, { "a": 1 }], "b": {}, "c": [] });
            for written in [to_line(&value), to_pretty(&value)] {
                let is_shown = |c: char| c == '\n' || !(c.is_control() || is_invisible(c));
                prop_assert!(written.chars().all(is_shown), "{written:?}");
                prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value.clone());
            }
        }
    }
}
