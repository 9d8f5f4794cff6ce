//! Describes what is wrong with a certificate and its key, and what to do.

use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use podtap_connect::tls::TlsUnavailable;

use crate::pem_file::PemFileError;

/// Reason why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] PemFileError),
    /// The file of authorities for the ACME directory contains no certificate.
    #[error("the authorities in {} cannot be used: {why}", file.display())]
    Authorities {
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file contains no certificate.
    #[error("{} has no certificate in PEM format", file.display())]
    NoCertificate {
        file: PathBuf,
        /// Whether it contains a key instead.
        has_key: bool,
    },
    /// The file contains no key.
    #[error("{} has no private key in PEM format", file.display())]
    NoKey {
        file: PathBuf,
        /// Whether it contains a certificate instead.
        has_certificate: bool,
    },
    /// The file has the binary form of a certificate or key.
    #[error("{} is not in PEM format, but in a binary one (DER or PKCS #12)", file.display())]
    Binary { file: PathBuf },
    /// The key needs a passphrase.
    #[error("the private key in {} is encrypted with a passphrase", file.display())]
    EncryptedKey { file: PathBuf },
    /// The content of the file is damaged, or of a kind that cannot be used.
    #[error("{} cannot be used: {why}", file.display())]
    Malformed {
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key belongs to another certificate.
    #[error("the private key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// File of the certificate.
        certificate: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// Whether the key belongs to a later certificate in the file.
        belongs_to_later: bool,
    },
    /// The certificate has expired.
    #[error("the certificate in {} expired at {at}", file.display())]
    Expired { file: PathBuf, at: Timestamp },
    /// The certificate is not valid yet.
    #[error("the certificate in {} is valid only from {at}", file.display())]
    NotYetValid {
        file: PathBuf,
        /// Time from which it is valid.
        at: Timestamp,
    },
    /// TLS itself cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsUnavailable),
}

impl CertificateError {
    /// Returns what the operator can do.
    pub fn hint(&self) -> String {
        match self {
            Self::File(PemFileError::Unreadable { source, .. })
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                "give the relay's user read access, such as with `chgrp podtap FILE && chmod 640 FILE`"
                    .to_owned()
            }
            Self::File(PemFileError::Unreadable { .. } | PemFileError::NoFile { .. }) => {
                "set tls-cert and tls-key to the files of the certificate chain and of its private key"
                    .to_owned()
            }
            Self::File(PemFileError::TooLarge { .. }) => {
                "set tls-cert and tls-key to PEM files of this server's certificate alone".to_owned()
            }
            Self::Authorities { .. } => {
                "set acme-ca to a PEM file with the certificates of the directory's authority"
                    .to_owned()
            }
            Self::Binary { file } => {
                let file = file.display();
                format!(
                    "convert it: `openssl x509 -inform der -in {file}` for a certificate, `openssl pkey \
                     -inform der -in {file}` for a key, `openssl pkcs12 -in {file} -nodes` for both in one"
                )
            }
            Self::NoCertificate { has_key: true, .. } | Self::NoKey { has_certificate: true, .. } => {
                "tls-cert and tls-key are probably swapped: tls-cert is for the certificate".to_owned()
            }
            Self::NoCertificate { .. } => {
                "it should begin with -----BEGIN CERTIFICATE-----".to_owned()
            }
            Self::NoKey { .. } => "it should begin with -----BEGIN PRIVATE KEY-----".to_owned(),
            Self::EncryptedKey { file } => {
                let file = file.display();
                format!("decrypt it: `openssl pkey -in {file} -out KEY`, and set tls-key to KEY")
            }
            Self::Malformed { .. } => {
                "use a certificate with an ECDSA, Ed25519 or RSA key, in PEM format".to_owned()
            }
            Self::Mismatch {
                belongs_to_later: true,
                ..
            } => "put the server's own certificate first in the file, then the authorities'"
                .to_owned(),
            Self::Mismatch { .. } => {
                "use the two files of one certificate, such as fullchain.pem and privkey.pem".to_owned()
            }
            Self::Expired { .. } => "renew it".to_owned(),
            Self::Tls(_) => "report this as a bug".to_owned(),
            Self::NotYetValid { .. } => "check this machine's clock".to_owned(),
        }
    }
}
