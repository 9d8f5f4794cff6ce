//! Formats bytes as a hex dump: offset, hexadecimal digits, characters.

use std::fmt::Write as _;

use crate::line::Line;
use crate::theme::Role;

/// Returns the lines of a dump of `width` cells: sixteen bytes per line, or
/// eight if `width` is small.
pub(super) fn lines(bytes: &[u8], width: usize) -> Vec<Line> {
    let across = if width >= 78 { 16 } else { 8 };
    bytes
        .chunks(across)
        .enumerate()
        .map(|(row, chunk)| line(row * across, chunk, across))
        .collect()
}

fn line(offset: usize, chunk: &[u8], across: usize) -> Line {
    let mut digits = String::with_capacity(across * 3);
    for byte in chunk {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x} ");
    }
    let printable = |byte: &u8| {
        if matches!(byte, b' '..=b'~') {
            char::from(*byte)
        } else {
            '·'
        }
    };
    let characters: String = chunk.iter().map(printable).collect();
    Line::of(Role::Quiet, format!("{offset:08x}  "))
        .column(Role::Plain, digits, across * 3 + 1)
        .with(Role::Text, characters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_shows_offset_digits_and_characters() {
        let dump = lines(b"PNG\r\n\x1a\x00\xff!", 60);
        let text: Vec<String> = dump.iter().map(Line::text).collect();
        assert_eq!(
            text,
            [
                "00000000  50 4e 47 0d 0a 1a 00 ff  PNG·····",
                "00000008  21                       !",
            ]
        );
    }
}
