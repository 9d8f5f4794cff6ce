//! Stores the account and the certificate in the data folder, readable by their owner only.

use std::io;
use std::path::{Path, PathBuf};

use instant_acme::AccountCredentials;
use podtap_disk::private;
use serde::{Deserialize, Serialize};

use crate::pem_file::PemFileError;
use crate::tls::error::CertificateError;
use crate::tls::pair::{CertificatePair, PairOrigin};

const ACCOUNT: &str = "acme-account.json";
const CERTIFICATE: &str = "acme-certificate.pem";

/// Files in a data folder.
#[derive(Debug)]
pub(super) struct AcmeStore {
    folder: PathBuf,
}

/// A stored account, which is valid at one directory.
#[derive(Deserialize)]
struct SavedAccount {
    directory: String,
    credentials: AccountCredentials,
}

/// Borrowed form of an account, for writing.
#[derive(Serialize)]
struct Keep<'a> {
    directory: &'a str,
    credentials: &'a AccountCredentials,
}

impl AcmeStore {
    pub(super) fn open(folder: &Path) -> Result<Self, CertificateError> {
        private::folder(folder).map_err(|source| PemFileError::Unreadable {
            file: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Returns the account at this directory, if there is one.
    pub(super) fn account(&self, directory: &str) -> Option<AccountCredentials> {
        let text = std::fs::read(self.folder.join(ACCOUNT)).ok()?;
        match serde_json::from_slice::<SavedAccount>(&text) {
            Ok(known) => (known.directory == directory).then_some(known.credentials),
            Err(error) => {
                let line = error.line();
                tracing::warn!(
                    line,
                    "{ACCOUNT} cannot be read; the relay creates a new account"
                );
                None
            }
        }
    }

    pub(super) fn keep_account(
        &self,
        directory: &str,
        credentials: &AccountCredentials,
    ) -> io::Result<()> {
        let text = serde_json::to_vec(&Keep {
            directory,
            credentials,
        })?;
        self.write(ACCOUNT, &text)
    }

    /// Returns the stored certificate, if it can be used.
    pub(super) fn pair(&self) -> Option<CertificatePair> {
        let text = std::fs::read_to_string(self.folder.join(CERTIFICATE)).ok()?;
        match self.parse(&text) {
            Ok(pair) => Some(pair),
            Err(error) => {
                tracing::warn!(%error, "the stored certificate cannot be used; the relay orders a \
                     new one");
                None
            }
        }
    }

    pub(super) fn keep(&self, pem: &str) -> io::Result<()> {
        self.write(CERTIFICATE, pem.as_bytes())
    }

    /// Parses a private key with its chain.
    pub(super) fn parse(&self, pem: &str) -> Result<CertificatePair, CertificateError> {
        let path = self.folder.join(CERTIFICATE);
        let origin = PairOrigin {
            certificate: &path,
            key: &path,
        };
        CertificatePair::parse(pem.as_bytes(), pem.as_bytes(), origin)
    }

    /// Writes a new file and then renames it, so that the file is complete even after a crash.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.folder.join(name);
        let new = private::beside(&path, ".new");
        private::write(&new, content)?;
        std::fs::rename(&new, &path)
    }
}
