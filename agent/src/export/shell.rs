//! Converts any bytes to one word of a shell line (invariant 7): characters that a terminal or a
//! shell would obey are written as octal escapes. The line means the same in sh, bash, dash, zsh
//! and fish: inside single quotes, fish treats `\` as an escape; inside `"$(…)"`, bash expands `!`;
//! and a bare word cannot begin with `=` in zsh or with `%` in fish.

use std::fmt::Write as _;

/// Separates two arguments, so that a long line stays readable.
pub(super) const BREAK: &str = " \\\n  ";

/// Maximum number of bytes of plain text: Linux accepts 128 KiB in one argument of a program.
const MAX_PLAIN: usize = 64 * 1024;

/// Returns bytes as one word: quoted if they are plain text, otherwise printed by `printf`. A word
/// cannot contain NUL; use [`printf`] and a pipe for bytes that may contain it.
pub(super) fn word(bytes: &[u8]) -> String {
    match plain(bytes) {
        Some(text) => quote(text),
        None => format!("\"$({})\"", printf(bytes)),
    }
}

/// Returns a command that prints the bytes.
pub(super) fn printf(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len() + 16);
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            // At the start, it would begin an option.
            b'-' if index == 0 => format.push_str("\\055"),
            b'%' => format.push_str("%%"),
            b' '..=b'~' if !b"\\'!".contains(&byte) => format.push(char::from(byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(format, "\\{byte:03o}")),
        }
    }
    format!("printf '{format}'")
}

/// Returns the bytes as text if all of it can be used unchanged in a shell line.
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
