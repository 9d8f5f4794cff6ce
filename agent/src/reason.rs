//! Describes why a call to the relay, the local service or Podio failed, and what helps.

use std::error::Error;

pub use podtap_connect::reason::chain;
use podtap_connect::reason::{is_certificate, words};
use podtap_podio::client;

/// Describes the failure of a request to a local service,
/// with a hint if its certificate is not accepted.
pub(crate) fn of_local_service(error: &(dyn Error + 'static)) -> String {
    with_hint(
        error,
        "trust it with --ca-file FILE, or accept any certificate on this machine with \
         --insecure-local",
    )
}

/// Describes the failure of a request to a relay, with a hint if its certificate is not accepted.
pub(crate) fn of_relay(error: &(dyn Error + 'static)) -> String {
    with_hint(error, "trust its authority with --ca-file FILE")
}

/// Describes a failure of Podio's API, with the causes of a failed connection.
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
    let words = words(error);
    if is_certificate(error) {
        format!("{words}; {hint}")
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustls::CertificateError;

    use super::*;

    #[test]
    fn a_certificate_that_is_not_trusted_is_told_with_what_helps() {
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let unknown = io::Error::other(io::Error::other(unknown));
        assert!(of_local_service(&unknown).ends_with("--insecure-local"));
        assert!(of_relay(&unknown).ends_with("--ca-file FILE"));
        let other = io::Error::other("told as it is");
        assert_eq!(of_local_service(&other), "told as it is");
    }
}
