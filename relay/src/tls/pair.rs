//! Reads a certificate chain with its private key from PEM, and checks it.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use x509_cert::der::Decode as _;

use super::error::CertificateError;

/// A certificate that can be offered.
#[derive(Debug, Clone)]
pub(crate) struct CertificatePair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}

/// Marks a key with a passphrase in the form that OpenSSL wrote before PKCS #8 (RFC 1421).
const SEALED: &str = "Proc-Type: 4,ENCRYPTED";

/// Files of the two parts of a pair, for errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct PairOrigin<'a> {
    pub(super) certificate: &'a Path,
    pub(super) key: &'a Path,
}

impl CertificatePair {
    /// Parses the pair from these PEM texts, which may be the same text.
    pub(super) fn parse(
        certificate: &[u8],
        key: &[u8],
        origin: PairOrigin<'_>,
    ) -> Result<Self, CertificateError> {
        let chain = chain(certificate, origin)?;
        let key = private_key(key, origin)?;
        let malformed = |file: &Path, why: String| CertificateError::Malformed {
            file: file.to_owned(),
            why,
        };
        let (not_before, not_after) = validity(&chain).ok_or_else(|| {
            malformed(origin.certificate, "it is not an X.509 certificate".into())
        })?;
        let key = ring::default_provider().key_provider.load_private_key(key);
        let key = key.map_err(|error| malformed(origin.key, error.to_string()))?;
        let belongs = |chain: &[CertificateDer<'static>]| {
            CertifiedKey::new(chain.to_vec(), Arc::clone(&key)).keys_match()
        };
        match belongs(&chain) {
            Ok(()) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                let mut later = chain.iter().skip(1);
                return Err(CertificateError::Mismatch {
                    certificate: origin.certificate.to_owned(),
                    key: origin.key.to_owned(),
                    belongs_to_later: later.any(|one| belongs(std::slice::from_ref(one)).is_ok()),
                });
            }
            Err(error) => return Err(malformed(origin.certificate, error.to_string())),
        }
        Ok(Self {
            certified: Arc::new(CertifiedKey::new(chain, key)),
            not_before,
            not_after,
        })
    }

    /// Checks whether the certificate is valid now.
    pub(super) fn check_time(
        &self,
        now: Timestamp,
        origin: PairOrigin<'_>,
    ) -> Result<(), CertificateError> {
        let file = origin.certificate.to_owned();
        if now >= self.not_after {
            return Err(CertificateError::Expired {
                file,
                at: self.not_after,
            });
        }
        if now < self.not_before {
            return Err(CertificateError::NotYetValid {
                file,
                at: self.not_before,
            });
        }
        Ok(())
    }

    /// Returns whether the certificate is valid for this host, which is a name or an address.
    pub(crate) fn is_for(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(name) = ServerName::try_from(bare) else {
            return false;
        };
        let certificate = self.certified.end_entity_cert();
        let parsed = certificate.and_then(ParsedCertificate::try_from);
        parsed.is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, &name).is_ok())
    }
}

/// Returns the certificates of a PEM text, the server's own first.
fn chain(
    pem: &[u8],
    origin: PairOrigin<'_>,
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let file = origin.certificate.to_owned();
    if is_binary(pem) {
        return Err(CertificateError::Binary { file });
    }
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        // The part that cannot be read may be an encrypted key.
        Err(_) if holds(pem, SEALED) && holds(pem, "BEGIN CERTIFICATE-") => {
            Err(CertificateError::EncryptedKey { file })
        }
        Err(error) if holds(pem, "BEGIN CERTIFICATE-") => Err(CertificateError::Malformed {
            file,
            why: error.to_string(),
        }),
        Ok(_) | Err(_) => {
            let has_key = holds(pem, "PRIVATE KEY-----");
            Err(CertificateError::NoCertificate { file, has_key })
        }
    }
}

fn private_key(
    pem: &[u8],
    origin: PairOrigin<'_>,
) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let file = origin.key.to_owned();
    if is_binary(pem) {
        return Err(CertificateError::Binary { file });
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        if holds(pem, "BEGIN ENCRYPTED PRIVATE KEY") || holds(pem, SEALED) {
            return CertificateError::EncryptedKey { file };
        }
        match error {
            rustls::pki_types::pem::Error::NoItemsFound => CertificateError::NoKey {
                has_certificate: holds(pem, "BEGIN CERTIFICATE"),
                file,
            },
            error => CertificateError::Malformed {
                file,
                why: error.to_string(),
            },
        }
    })
}

/// Returns whether the bytes begin like DER: a sequence of more than 127 bytes. No text
/// begins with these two bytes.
fn is_binary(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, 0x81..=0x84, ..])
}

fn holds(pem: &[u8], words: &str) -> bool {
    String::from_utf8_lossy(pem).contains(words)
}

/// Returns the times between which the first certificate is valid.
fn validity(chain: &[CertificateDer<'_>]) -> Option<(Timestamp, Timestamp)> {
    let certificate = x509_cert::Certificate::from_der(chain.first()?).ok()?;
    let validity = certificate.tbs_certificate.validity;
    let at = |time: x509_cert::time::Time| {
        let seconds = time.to_unix_duration().as_secs();
        Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
    };
    Some((at(validity.not_before)?, at(validity.not_after)?))
}
