//! Errors of other crates as a few words for a person.

use std::error::Error;
use std::io;

use jiff::Timestamp;
use podtap_connect::io_words;
use podtap_podio::client;
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, InvalidMessage};

/// What happened, by the innermost cause: `connection refused`, not `client error`.
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

/// The same about a local service, with what helps where its certificate is not taken.
pub(crate) fn of_local_service(error: &(dyn Error + 'static)) -> String {
    with_hint(
        error,
        "trust it with --ca-file FILE, or take any with --insecure-local",
    )
}

/// The same about a relay.
pub(crate) fn of_relay(error: &(dyn Error + 'static)) -> String {
    with_hint(error, "trust its authority with --ca-file FILE")
}

/// The same about Podio's API: its own words, and beneath them those of what lies between.
#[must_use]
pub fn of_podio(error: &client::Error) -> String {
    match error {
        client::Error::Transport { .. } | client::Error::Json { .. } => {
            format!("{error}: {}", words(error))
        }
        _ => error.to_string(),
    }
}

fn with_hint(error: &(dyn Error + 'static), hint: &str) -> String {
    let mut cause = Some(error);
    let mut is_certificate = false;
    while let Some(error) = cause {
        let tls = tls_error(error);
        is_certificate |= matches!(tls, Some(rustls::Error::InvalidCertificate(_)));
        cause = error.source();
    }
    let words = words(error);
    if is_certificate {
        format!("{words}; {hint}")
    } else {
        words
    }
}

/// An error of TLS, also one that errors of input and output bring along, one in the other.
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
            "it does not speak TLS there; give its URL with http:// instead of https://"
        }
        rustls::Error::AlertReceived(alert) => {
            return format!("it refused the TLS handshake ({alert:?})");
        }
        other => return other.to_string(),
    };
    words.to_owned()
}

/// The names in a certificate, of which there may be many.
fn names(presented: &[String]) -> String {
    const SOME: usize = 4;
    // As `DnsName("hooks.example.com")` and `IpAddress(192.0.2.1)`.
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
    fn what_is_wrong_with_a_certificate_is_told_with_what_helps() {
        let certificate = |error| {
            let error = rustls::Error::InvalidCertificate(error);
            Outer(io::Error::other(io::Error::other(error)))
        };
        let unknown = certificate(CertificateError::UnknownIssuer);
        assert!(words(&unknown).contains("self-signed"));
        assert!(of_local_service(&unknown).ends_with("--insecure-local"));
        assert!(of_relay(&unknown).ends_with("--ca-file FILE"));
        assert_eq!(
            words(&certificate(CertificateError::Expired)),
            "its certificate has expired"
        );
        let other = Outer(io::Error::other("told as it is"));
        assert_eq!(of_local_service(&other), "told as it is");
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
