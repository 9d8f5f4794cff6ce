//! Reads the header of the PROXY protocol, versions 1 and 2, in which a load balancer names
//! the sender at the start of a connection. No byte after the header is consumed.

use std::io;
use std::net::SocketAddr;

use proxy_header::{ParseConfig, ProxyHeader};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// First bytes of a header of version 2.
const GREETING: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// First bytes of a header of version 1.
const WORD: &[u8] = b"PROXY ";

/// Number of bytes of a version 2 header up to the end of its length field.
const FIXED_BYTES: usize = 16;

/// Maximum number of bytes of a version 1 line, as the protocol defines it.
const MAX_LINE_BYTES: usize = 107;

/// Maximum number of bytes of a version 2 header. Addresses take at most 232, and what a
/// proxy adds about TLS takes a few hundred.
const MAX_HEADER_BYTES: usize = 4096;

/// Reason why no header was read.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoHeader {
    /// The peer closed the connection before it sent anything.
    #[error("nothing was sent")]
    Silent,
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    #[error("the PROXY header ends early")]
    Truncated,
    #[error("the PROXY header is longer than {MAX_HEADER_BYTES} bytes")]
    TooLong,
    #[error("the PROXY header cannot be read")]
    Malformed,
    #[error("the connection broke off")]
    Io(#[from] io::Error),
}

/// Form of a header: a line of text, or bytes with their length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProxyHeaderForm {
    Line,
    Binary,
}

/// Reads the header. Returns `None` for a connection of the proxy itself, such as a health check.
pub(super) async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, NoHeader> {
    let mut header = Vec::new();
    let mut seen = [0; 512];
    loop {
        let count = stream.peek(&mut seen).await?;
        let seen = seen.get_mut(..count).unwrap_or_default();
        if seen.is_empty() {
            return Err(if header.is_empty() {
                NoHeader::Silent
            } else {
                NoHeader::Truncated
            });
        }
        let HeaderExtent { ours, is_last } = belonging(&header, seen)?;
        let ours = seen.get_mut(..ours).unwrap_or_default();
        stream.read_exact(ours).await?;
        header.extend_from_slice(ours);
        if is_last {
            return parse(&header);
        }
    }
}

/// Returns whether these bytes begin as a header does.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    bytes.starts_with(WORD) || bytes.starts_with(GREETING)
}

/// How many of the peeked bytes belong to the header.
#[derive(Debug, Clone, Copy)]
struct HeaderExtent {
    /// Number of these bytes, at least one.
    ours: usize,
    /// Whether the header ends with these bytes.
    is_last: bool,
}

/// Finds which of the bytes in `seen` belong to the header. `header` contains the bytes
/// before them.
fn belonging(header: &[u8], seen: &[u8]) -> Result<HeaderExtent, NoHeader> {
    let all = [header, seen].concat();
    let (end, is_last) = match kind(&all)? {
        ProxyHeaderForm::Line => {
            let end = all.iter().position(|byte| *byte == b'\n');
            let bytes = end.map_or(all.len(), |at| at + 1);
            if bytes > MAX_LINE_BYTES {
                return Err(NoHeader::Malformed);
            }
            (bytes, end.is_some())
        }
        ProxyHeaderForm::Binary => {
            let length = all.get(FIXED_BYTES - 2..FIXED_BYTES);
            let length = length.and_then(|bytes| <[u8; 2]>::try_from(bytes).ok());
            let end = FIXED_BYTES + length.map_or(0, |bytes| u16::from_be_bytes(bytes).into());
            if end > MAX_HEADER_BYTES {
                return Err(NoHeader::TooLong);
            }
            (end.min(all.len()), length.is_some() && all.len() >= end)
        }
    };
    Ok(HeaderExtent {
        ours: end - header.len(),
        is_last,
    })
}

/// Returns the version of the header that the bytes begin or may begin.
fn kind(bytes: &[u8]) -> Result<ProxyHeaderForm, NoHeader> {
    let begins = |start: &[u8]| start.starts_with(bytes) || bytes.starts_with(start);
    if begins(GREETING) {
        return Ok(ProxyHeaderForm::Binary);
    }
    begins(WORD)
        .then_some(ProxyHeaderForm::Line)
        .ok_or(NoHeader::Missing)
}

/// Returns the sender that a complete header names.
fn parse(header: &[u8]) -> Result<Option<SocketAddr>, NoHeader> {
    let config = ParseConfig {
        include_tlvs: false,
        ..ParseConfig::default()
    };
    let (said, _) = ProxyHeader::parse(header, config).map_err(|_| NoHeader::Malformed)?;
    Ok(said.proxied_address().map(|proxied| proxied.source))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proxy_header::ProxiedAddress;

    use super::*;

    /// Reads a header from bytes that arrive in pieces of this size. Returns the sender and the
    /// bytes after the header.
    fn read_in_pieces(
        bytes: &[u8],
        piece: usize,
    ) -> Result<(Option<SocketAddr>, Vec<u8>), NoHeader> {
        let (mut header, mut rest) = (Vec::new(), bytes);
        loop {
            let seen = rest.get(..piece).unwrap_or(rest);
            if seen.is_empty() {
                return Err(NoHeader::Truncated);
            }
            let HeaderExtent { ours, is_last } = belonging(&header, seen)?;
            assert!(ours > 0);
            header.extend_from_slice(&rest[..ours]);
            rest = &rest[ours..];
            if is_last {
                return Ok((parse(&header)?, rest.to_vec()));
            }
        }
    }

    fn binary(sender: &str, receiver: &str) -> Vec<u8> {
        let address = ProxiedAddress::stream(sender.parse().unwrap(), receiver.parse().unwrap());
        let mut bytes = Vec::new();
        ProxyHeader::with_address(address)
            .encode_v2(&mut bytes)
            .unwrap();
        bytes
    }

    #[test]
    fn a_header_says_who_sends_and_what_follows_is_left() {
        let v6 = binary("[2001:db8::7]:4711", "[2001:db8::1]:443");
        let v4 = binary("192.0.2.7:4711", "192.0.2.1:443");
        let mut local = Vec::new();
        ProxyHeader::with_local().encode_v2(&mut local).unwrap();
        for (header, sender) in [
            (
                &b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"[..],
                Some("192.0.2.7:4711"),
            ),
            (
                b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n",
                Some("[2001:db8::7]:4711"),
            ),
            (b"PROXY UNKNOWN\r\n", None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
            (&v4, Some("192.0.2.7:4711")),
            (&v6, Some("[2001:db8::7]:4711")),
            (&local, None),
        ] {
            for piece in [1, 2, 7, 15, 16, 17, 512] {
                let bytes = [header, b"POST / HTTP/1.1\r\n"].concat();
                let (said, rest) = read_in_pieces(&bytes, piece).unwrap();
                assert_eq!(
                    said,
                    sender.map(|sender| sender.parse().unwrap()),
                    "{header:?}"
                );
                assert_eq!(rest, b"POST / HTTP/1.1\r\n", "{piece}: {header:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_a_header_is_told() {
        let mut long = GREETING.to_vec();
        long.extend([0x21, 0x11, 0xff, 0xff]);
        let endless = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        let cut = binary("192.0.2.7:1", "192.0.2.1:2");
        for (bytes, words) in [
            (&b"POST / HTTP/1.1\r\n"[..], "does not begin"),
            (b"PRI * HTTP/2.0\r\n\r\n", "does not begin"),
            (b"\x16\x03\x01", "does not begin"),
            (b"PROXY TCP4 nobody 192.0.2.1 1 2\r\n", "cannot be read"),
            (b"PROXY TCP4 192.0.2.7\r\n", "cannot be read"),
            (b"PROXY \n", "cannot be read"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02ab", "cannot be read"),
            (&endless, "cannot be read"),
            (&long, "longer than"),
            (b"PROXY TCP4 192.0.2.7", "ends early"),
            (&cut[..20], "ends early"),
        ] {
            for piece in [1, 16, 512] {
                let error = read_in_pieces(bytes, piece).unwrap_err().to_string();
                assert!(error.contains(words), "{words}, {piece}: {error}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_pieces_are_a_surprise(
            start in prop::sample::select(vec![&b""[..], b"PROXY ", b"PROXY TCP4 ", GREETING]),
            bytes in prop::collection::vec(any::<u8>(), 0..600),
            piece in 1_usize..64,
        ) {
            let all = [start, &bytes].concat();
            let pieces = read_in_pieces(&all, piece).ok();
            let whole = read_in_pieces(&all, 512).ok();
            prop_assert_eq!(pieces, whole);
        }
    }
}
