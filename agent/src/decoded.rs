//! Decodes bodies for people: it decompresses them according to `Content-Encoding`, and converts
//! text in another character set to UTF-8. For reading only: the received bytes are stored,
//! forwarded, copied and exported unchanged.
//!
//! Anyone who knows a URL can send such a body, so the work is bounded: the decompressed bytes, at
//! every step, and the number of steps.

use std::borrow::Cow;
use std::io::{self, BufReader, Read};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use podtap_wire::HeaderList;

/// Maximum number of bytes to which a body is decompressed; the rest is not decompressed.
pub const MAX_UNPACKED: usize = 1024 * 1024;

/// Maximum number of bytes between two steps, if a body is compressed several times.
const MAX_BETWEEN: u64 = 8 * 1024 * 1024;

/// Maximum number of times that a body may be compressed.
const MAX_CODINGS: usize = 4;

/// Number of bytes per read.
const BUFFER: usize = 8 * 1024;

/// A body, decompressed if it was compressed and if that is possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnpackedBody<'a> {
    /// The bytes to read.
    pub bytes: Cow<'a, [u8]>,
    /// How the body was compressed; `None` if it was not.
    pub packing: Option<BodyPacking>,
}

/// How a body was compressed, and the result of decompressing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyPacking {
    /// The names in the header. Untrusted text.
    pub coding: String,
    /// The result of decompressing.
    pub result: Result<Extent, PackedReason>,
}

/// How much of a body was decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// The first [`MAX_UNPACKED`] bytes; there are more.
    First,
}

/// Why a body is shown as it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackedReason {
    /// The stream ends early or has another format.
    #[error("cannot be decompressed, shown as received")]
    Broken,
    /// The compression is unknown.
    #[error("unknown, shown as received")]
    Unknown,
    /// The body was compressed more than `MAX_CODINGS` times.
    #[error("compressed too many times, shown as received")]
    TooMany,
}

enum ContentCoding {
    Gzip,
    Deflate,
    Brotli,
}

impl UnpackedBody<'_> {
    /// Returns whether these bytes are the whole body, with nothing left to decompress.
    pub fn is_whole(&self) -> bool {
        self.packing
            .as_ref()
            .is_none_or(|packing| packing.result == Ok(Extent::Whole))
    }
}

/// Decompresses a body according to its headers.
pub fn unpack<'a>(headers: &HeaderList, body: &'a [u8]) -> UnpackedBody<'a> {
    let named = codings(headers);
    if named.is_empty() || body.is_empty() {
        return UnpackedBody {
            bytes: body.into(),
            packing: None,
        };
    }
    let (bytes, result) = match undo(&named, body) {
        Ok((bytes, extent)) => (bytes.into(), Ok(extent)),
        Err(why) => (body.into(), Err(why)),
    };
    let coding = named.join(", ");
    UnpackedBody {
        bytes,
        packing: Some(BodyPacking { coding, result }),
    }
}

/// Returns whether bytes are better read as text than as a dump: UTF-8 with few control characters.
pub fn is_text(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let controls = text
        .chars()
        .filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        .count();
    controls * 10 <= text.len()
}

/// Converts text from the character set in its headers to UTF-8. Text without a character set, with
/// an unknown one, or in UTF-8 stays as it is.
pub fn text<'a>(headers: &HeaderList, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    match charset(headers) {
        Some(charset) if charset != UTF_8 && charset != REPLACEMENT => {
            match charset.decode(bytes).0 {
                Cow::Borrowed(text) => text.as_bytes().into(),
                Cow::Owned(text) => text.into_bytes().into(),
            }
        }
        _ => bytes.into(),
    }
}

fn charset(headers: &HeaderList) -> Option<&'static Encoding> {
    let content_type = std::str::from_utf8(headers.get("content-type")?).ok()?;
    let mut parameters = content_type.split(';').skip(1);
    let label = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    Encoding::for_label(label?.as_bytes())
}

/// Returns the names in the headers, in the order in which the sender compressed.
fn codings(headers: &HeaderList) -> Vec<String> {
    let is_coding = |name: &str| name.eq_ignore_ascii_case("content-encoding");
    headers
        .iter()
        .filter(|(name, _)| is_coding(name))
        .flat_map(|(_, value)| {
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            let names = value.split(',').map(|name| name.trim().to_owned());
            names.collect::<Vec<_>>()
        })
        .filter(|name| !name.is_empty() && name != "identity")
        .collect()
}

fn undo(named: &[String], body: &[u8]) -> Result<(Vec<u8>, Extent), PackedReason> {
    if named.len() > MAX_CODINGS {
        return Err(PackedReason::TooMany);
    }
    let mut stream: Box<dyn Read + '_> = Box::new(body);
    for name in named.iter().rev() {
        let coding = parse_coding(name).ok_or(PackedReason::Unknown)?;
        stream = decoder(&coding, stream).map_err(|_| PackedReason::Broken)?;
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_UNPACKED).unwrap_or(u64::MAX);
    let read = stream.take(most + 1).read_to_end(&mut bytes);
    if bytes.len() > MAX_UNPACKED {
        bytes.truncate(MAX_UNPACKED);
        return Ok((bytes, Extent::First));
    }
    match read {
        Ok(_) => Ok((bytes, Extent::Whole)),
        Err(_) => Err(PackedReason::Broken),
    }
}

fn parse_coding(name: &str) -> Option<ContentCoding> {
    match name {
        "gzip" | "x-gzip" => Some(ContentCoding::Gzip),
        "deflate" => Some(ContentCoding::Deflate),
        "br" => Some(ContentCoding::Brotli),
        _ => None,
    }
}

/// Returns a reader of the decompressed stream.
fn decoder<'a>(
    coding: &ContentCoding,
    packed: Box<dyn Read + 'a>,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut packed = BufReader::with_capacity(BUFFER, packed.take(MAX_BETWEEN));
    Ok(match coding {
        // Only the first member, as browsers do: a body of very many empty members would cost much.
        ContentCoding::Gzip => Box::new(GzDecoder::new(packed)),
        ContentCoding::Deflate if is_zlib(&mut packed)? => Box::new(ZlibDecoder::new(packed)),
        ContentCoding::Deflate => Box::new(DeflateDecoder::new(packed)),
        ContentCoding::Brotli => Box::new(brotli(packed)),
    })
}

/// Decompresses Brotli of RFC 7932, whose window is at
/// most 16 MiB: the format's large window has up to 1 GiB.
fn brotli<R: Read>(packed: R) -> Decompressor<R> {
    let mut stream = Decompressor::new(packed, BUFFER);
    stream.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    stream
}

/// Returns whether a stream begins as in RFC 1950. `deflate` means that format, but some senders
/// omit its header.
fn is_zlib(packed: &mut impl io::BufRead) -> io::Result<bool> {
    Ok(match *packed.fill_buf()? {
        [method, flags, ..] => {
            method & 0x0f == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    use super::*;

    const FORM: &[u8] = b"type=item.update&item_id=4";

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(body).unwrap();
        packer.finish().unwrap()
    }

    fn zlib(body: &[u8]) -> Vec<u8> {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(body).unwrap();
        packer.finish().unwrap()
    }

    fn deflate(body: &[u8]) -> Vec<u8> {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(body).unwrap();
        packer.finish().unwrap()
    }

    fn packed_as(codings: &str) -> HeaderList {
        [("Content-Encoding", codings.to_owned())]
            .into_iter()
            .collect()
    }

    fn came_of(codings: &str, body: &[u8]) -> (Vec<u8>, Option<Result<Extent, PackedReason>>) {
        let unpacked = unpack(&packed_as(codings), body);
        let result = unpacked.packing.as_ref().map(|packing| packing.result);
        (unpacked.bytes.into_owned(), result)
    }

    #[test]
    fn text_and_dumps_are_told_apart() {
        assert!(is_text(b"type=item.update\r\n\tx"));
        assert!(is_text("日本".as_bytes()));
        assert!(!is_text(b"\xff\xd8\xff\xe0"));
        assert!(!is_text(&[0; 10]));
    }

    #[test]
    fn each_coding_is_undone_and_several_in_their_order() {
        let whole = Some(Ok(Extent::Whole));
        for (codings, body) in [
            ("gzip", gzip(FORM)),
            ("X-GZip", gzip(FORM)),
            ("deflate", zlib(FORM)),
            ("deflate", deflate(FORM)),
            ("identity, gzip", gzip(FORM)),
            ("gzip, deflate", zlib(&gzip(FORM))),
            ("deflate,gzip , gzip", gzip(&gzip(&zlib(FORM)))),
        ] {
            assert_eq!(came_of(codings, &body), (FORM.to_vec(), whole), "{codings}");
        }
        let hello = b"\x0b\x02\x80hello\x03";
        assert_eq!(came_of("br", hello), (b"hello".to_vec(), whole));
        assert_eq!(
            came_of("br, gzip", &gzip(hello)),
            (b"hello".to_vec(), whole)
        );
        let mut apart = packed_as("br");
        apart.push("content-encoding", "gzip");
        assert_eq!(&unpack(&apart, &gzip(hello)).bytes[..], b"hello");
    }

    #[test]
    fn what_cannot_be_unpacked_is_as_it_came_and_says_why() {
        let packed = gzip(FORM);
        let (cut, _) = packed.split_at(packed.len() - 9);
        for (codings, body, why) in [
            ("gzip", FORM, PackedReason::Broken),
            ("gzip", cut, PackedReason::Broken),
            ("br", b"\x0b\x02\x80hel", PackedReason::Broken),
            ("deflate", b"\xff\xff", PackedReason::Broken),
            ("gzip, deflate", b"x", PackedReason::Broken),
            ("zstd", FORM, PackedReason::Unknown),
            ("gzip,gzip,gzip,gzip,gzip", &packed, PackedReason::TooMany),
        ] {
            assert_eq!(came_of(codings, body), (body.to_vec(), Some(Err(why))));
        }
        assert_eq!(came_of("gzip", b""), (Vec::new(), None));
        assert_eq!(came_of("identity", FORM), (FORM.to_vec(), None));
    }

    #[test]
    fn a_bomb_costs_no_more_than_what_is_shown() {
        // One gibibyte of zeros, each mebibyte as a separate block; and the same compressed again.
        let mut block = DeflateEncoder::new(Vec::new(), Compression::fast());
        block.write_all(&vec![0; MAX_UNPACKED]).unwrap();
        block.flush().unwrap();
        let bomb = block.get_ref().repeat(1024);
        for (codings, body) in [("deflate, gzip", gzip(&bomb)), ("deflate", bomb)] {
            let (bytes, result) = came_of(codings, &body);
            assert_eq!(
                (bytes.len(), result),
                (MAX_UNPACKED, Some(Ok(Extent::First)))
            );
            assert!(bytes.capacity() <= 4 * MAX_UNPACKED);
        }
        // Many empty blocks, more than a step passes on.
        let empty = [0, 0, 0, 0xff, 0xff].repeat(2 * 1024 * 1024);
        let (_, result) = came_of("deflate, gzip", &gzip(&empty));
        assert_eq!(result, Some(Err(PackedReason::Broken)));
    }

    #[test]
    fn a_charset_is_read_and_hostile_names_of_one_are_not() {
        let read = |content_type: &str, bytes: &[u8]| {
            let headers = [("Content-Type", content_type.to_owned())];
            let headers = headers.into_iter().collect();
            String::from_utf8_lossy(&text(&headers, bytes)).into_owned()
        };
        assert_eq!(
            read("text/plain; charset=iso-8859-1", b"M\xfcller"),
            "Müller"
        );
        assert_eq!(
            read("text/plain;CHARSET=\"windows-1252\"", b"\x80 5"),
            "€ 5"
        );
        assert_eq!(
            read("a/b; x=y; charset=shift_jis", b"\x93\xfa\x96{"),
            "日本"
        );
        assert_eq!(read("a/b; charset=utf-16le", b"a\0b\0"), "ab");
        for unknown in [
            "a/b",
            "a/b; charset=",
            "a/b; charset=x",
            "a/b; charset=iso-2022-kr",
        ] {
            assert_eq!(read(unknown, b"a\x1b[0m"), "a\x1b[0m", "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            codings in "(gzip|deflate|br|,| |x){0,6}",
        ) {
            let headers = packed_as(&codings);
            let unpacked = unpack(&headers, &body);
            prop_assert!(unpacked.bytes.len() <= MAX_UNPACKED.max(body.len()));
            let _ = text(&headers, &unpacked.bytes);
        }

        #[test]
        fn what_was_packed_comes_back(body in proptest::collection::vec(any::<u8>(), 1..3_000)) {
            prop_assert_eq!(&came_of("gzip", &gzip(&body)).0, &body);
            prop_assert_eq!(&came_of("deflate", &zlib(&body)).0, &body);
        }
    }
}
