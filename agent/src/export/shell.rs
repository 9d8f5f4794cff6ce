//! Bytes → one word of a shell line, whatever the bytes are (invariant 7): what a terminal or a shell
//! would obey is written as an octal escape. The line means the same to sh, bash, dash, zsh and fish:
//! inside single quotes fish takes `\` for an escape, inside `"$(…)"` bash expands `!`, and a bare
//! word may begin with `=` in no zsh and with `%` in no fish.

use std::fmt::Write as _;

/// Between two arguments, so that a long line stays readable.
pub(super) const BREAK: &str = " \\\n  ";

/// Bytes of the longest plain text: Linux takes 128 KiB in one argument of a program.
const MAX_PLAIN: usize = 64 * 1024;

/// Bytes as one word: quoted where they are plain text, else printed by `printf`. NUL cannot be in
/// a word; use [`printf`] and a pipe for bytes that may hold it.
pub(super) fn word(bytes: &[u8]) -> String {
    match plain(bytes) {
        Some(text) => quote(text),
        None => format!("\"$({})\"", printf(bytes)),
    }
}

/// A command that prints the bytes.
pub(super) fn printf(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len() + 16);
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            // At the beginning it would begin an option.
            b'-' if index == 0 => format.push_str("\\055"),
            b'%' => format.push_str("%%"),
            b' '..=b'~' if !b"\\'!".contains(&byte) => format.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(format, "\\{byte:03o}")),
        }
    }
    format!("printf '{format}'")
}

/// The bytes as text, where all of it may stand in a shell line as it is.
pub(super) fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let harmless = |c: char| match c {
        '\\' => false,
        ' '..='~' | '\n' => true,
        c => c.is_alphanumeric(),
    };
    (text.len() <= MAX_PLAIN && text.chars().all(harmless)).then_some(text)
}

fn quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:,+".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
