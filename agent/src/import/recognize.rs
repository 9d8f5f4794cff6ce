//! Recognizes the format of an archive from its first bytes: its name does not determine the
//! format, and stdin has none.

use std::io::{Chain, Cursor, Read};

use super::Problem;
use crate::export::archive::ArchiveFormat;

/// Number of bytes within which the first key of the first object must end.
const LOOK_AT: usize = 64 * 1024;

/// The bytes with which some tools on Windows begin a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A source whose beginning was read and put back.
pub(super) type ArchiveSource<R> = Chain<Cursor<Vec<u8>>, R>;

/// Returns the format, and the source from its first byte, without a byte order mark.
pub(super) fn recognize<R: Read>(
    mut source: R,
) -> Result<(ArchiveFormat, ArchiveSource<R>), Problem> {
    let mut beginning = Vec::with_capacity(LOOK_AT);
    let format = loop {
        // A pipe returns what it has: wait only for as much as is needed.
        let mut chunk = [0; 512];
        let wanted = (LOOK_AT - beginning.len()).min(chunk.len());
        let count = source.read(chunk.get_mut(..wanted).unwrap_or_default());
        let count = count.map_err(Problem::Read)?;
        beginning.extend(chunk.iter().take(count));
        let (known, is_all) = (strip(&beginning), count == 0);
        match first_key(known) {
            Some(First::Key(b"log")) => break ArchiveFormat::Har,
            Some(First::Key(_)) => break ArchiveFormat::Ndjson,
            // Lines that are not objects do not invalidate the ones that are.
            Some(First::Other) if has_object_line(known, is_all) => break ArchiveFormat::Ndjson,
            None | Some(First::Other) if !is_all => {}
            // An empty source contains no event, but this is not an error in the archive.
            None if known.trim_ascii().is_empty() => break ArchiveFormat::Ndjson,
            None | Some(First::Other) => return Err(Problem::Unrecognized),
        }
    };
    let beginning = strip(&beginning).to_vec();
    Ok((format, Cursor::new(beginning).chain(source)))
}

/// The beginning of a source.
enum First<'a> {
    Key(&'a [u8]),
    Other,
}

/// Returns `None` if more bytes are needed.
fn first_key(bytes: &[u8]) -> Option<First<'_>> {
    // Only the beginning of a byte order mark may have arrived.
    if BYTE_ORDER_MARK.starts_with(bytes) {
        return None;
    }
    let (&brace, bytes) = bytes.trim_ascii_start().split_first()?;
    if brace != b'{' {
        return Some(First::Other);
    }
    let (&quote, bytes) = bytes.trim_ascii_start().split_first()?;
    if quote != b'"' {
        return Some(First::Other);
    }
    let end = bytes.iter().position(|byte| *byte == b'"')?;
    bytes.get(..end).map(First::Key)
}

/// Returns whether a complete line after the first looks like an object, judged by its ends. With a
/// comma after it, it is a member of a list.
fn has_object_line(bytes: &[u8], is_all: bool) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').skip(1).peekable();
    while let Some(line) = lines.next() {
        let is_whole = is_all || lines.peek().is_some();
        let line = line.trim_ascii();
        let begins = matches!(first_key(line), Some(First::Key(_)));
        if is_whole && begins && line.ends_with(b"},") {
            return false;
        }
        if is_whole && begins && line.ends_with(b"}") {
            return true;
        }
    }
    false
}

fn strip(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns one byte per read, as a slow pipe does.
    struct Slow(Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    fn form(text: &str) -> Result<(ArchiveFormat, String), Problem> {
        let source = Slow(Cursor::new(text.into()));
        let (format, mut source) = recognize(source)?;
        let mut all = String::new();
        source.read_to_string(&mut all).unwrap();
        Ok((format, all))
    }

    #[test]
    fn the_content_tells_the_form_and_nothing_of_it_is_lost() {
        for (text, expected) in [
            ("{\"v\":1,\"type\":\"event\"}\n", ArchiveFormat::Ndjson),
            (" \n{ \"log\" : {}}", ArchiveFormat::Har),
            ("", ArchiveFormat::Ndjson),
            ("\n\n", ArchiveFormat::Ndjson),
        ] {
            let (format, all) = form(text).unwrap();
            assert_eq!((format, all.as_str()), (expected, text));
        }
        assert_eq!(form("\u{feff}{\"log\":1}").unwrap().1, "{\"log\":1}");
        for bad in ["null", "{}", "[1]", "{", "oops", "\"a\"", "{\"", "\u{0}"] {
            let text = format!("{bad}\n{bad}\n{{\"type\":\"event\"}}\n");
            assert_eq!(form(&text).unwrap(), (ArchiveFormat::Ndjson, text));
        }
        let long = format!("{}\n{{\"type\":\"event\"}}", "x".repeat(60_000));
        assert!(form(&long).is_ok_and(|(format, _)| format == ArchiveFormat::Ndjson));
        for text in [
            "[1]",
            "{}",
            "PK\u{3}\u{4}",
            "{\"log",
            "\"log\"",
            "<html>\n<p>\n</html>",
            "[\n{\"type\":\"event\"},\n{\"type\":\"event\"}\n]\n.",
            "body {\n  color: red\n}\n",
        ] {
            let refused = form(text);
            assert!(matches!(refused, Err(Problem::Unrecognized)), "{text}");
        }
        let blank = " ".repeat(100_000);
        assert!(form(&format!("{blank}{{\"log\":1}}")).is_ok_and(|(_, all)| all.len() > 100_000));
    }
}
