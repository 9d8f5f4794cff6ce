//! Describes errors of connections in a few words for people.

use std::error::Error;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, InvalidMessage};

/// Returns the innermost cause in a few words: `connection refused`, not `client error`.
#[must_use]
pub fn words(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    loop {
        if let Some(tls) = tls_error(cause) {
            return tls_words(tls);
        }
        let Some(source) = cause.source() else { break };
        cause = source;
    }
    cause
        .downcast_ref()
        .map_or_else(|| cause.to_string(), io_words)
}

/// Returns an error with its causes, each once: `attempt: cause: cause`.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let why = cause.to_string();
        // The messages of some libraries already contain their source.
        if !text.ends_with(&why) {
            text.push_str(": ");
            text.push_str(&why);
        }
        source = cause.source();
    }
    text
}

/// Returns an error of the operating system in a few words: `connection refused`, without
/// its number.
#[must_use]
pub fn io_words(error: &io::Error) -> String {
    if error.raw_os_error().is_none() {
        return error.to_string();
    }
    match error.kind() {
        io::ErrorKind::Other => error.to_string(),
        kind if kind.to_string() == "uncategorized error" => error.to_string(),
        kind => kind.to_string(),
    }
}

/// Returns whether the other side's certificate is the cause.
#[must_use]
pub fn is_certificate(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(_)) = tls_error(error) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Returns the TLS error, which may be nested in I/O errors.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<io::Error>() {
        Some(outer) => tls_error(outer.get_ref()?),
        None => error.downcast_ref(),
    }
}

fn tls_words(error: &rustls::Error) -> String {
    use CertificateError as C;
    let words = match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            C::ExpiredContext { not_after, .. } => {
                return format!("its certificate has expired, on {}", day(*not_after));
            }
            C::Expired => "its certificate has expired",
            C::NotValidYet | C::NotValidYetContext { .. } => "its certificate is not valid yet",
            C::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
                return format!("its certificate is for another name: {}", names(presented));
            }
            C::NotValidForName | C::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            C::Revoked => "its certificate was revoked",
            C::UnknownIssuer | C::Other(_) => {
                "its certificate is not trusted: it is self-signed, or its authority is unknown"
            }
            other => return format!("its certificate is not valid: {other}"),
        },
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS; use http:// instead of https://"
        }
        rustls::Error::AlertReceived(alert) => {
            return format!("it refused the TLS handshake ({alert:?})");
        }
        other => return other.to_string(),
    };
    words.to_owned()
}

/// Returns the names in a certificate, of which there may be many.
fn names(presented: &[String]) -> String {
    const SOME: usize = 4;
    // The names have the form `DnsName("hooks.example.com")` or `IpAddress(192.0.2.1)`.
    let bare = |name: &String| {
        let inner = name
            .split_once('(')
            .map_or(name.as_str(), |(_, inner)| inner);
        inner.trim_end_matches(')').trim_matches('"').to_owned()
    };
    let mut names: Vec<_> = presented.iter().take(SOME).map(bare).collect();
    if presented.len() > SOME {
        names.push("…".to_owned());
    }
    names.join(", ")
}

fn day(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    time.strftime("%F").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error")]
    struct Outer(#[source] io::Error);

    #[test]
    fn what_is_wrong_with_a_certificate_is_told() {
        let certificate = |error| {
            let error = rustls::Error::InvalidCertificate(error);
            Outer(io::Error::other(io::Error::other(error)))
        };
        let unknown = certificate(CertificateError::UnknownIssuer);
        assert!(words(&unknown).contains("self-signed"));
        assert!(is_certificate(&unknown));
        assert_eq!(
            words(&certificate(CertificateError::Expired)),
            "its certificate has expired"
        );
        assert!(!is_certificate(&Outer(io::Error::other("told as it is"))));
    }

    #[test]
    fn the_innermost_cause_is_told_in_plain_words() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let refused = std::net::TcpStream::connect(nobody).unwrap_err();
        assert_eq!(words(&Outer(refused)), "connection refused");
        assert_eq!(
            words(&Outer(io::Error::other("told as it is"))),
            "told as it is"
        );
    }
}
