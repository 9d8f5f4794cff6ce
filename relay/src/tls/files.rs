//! Reads a certificate from two files, which another program renews.
//!
//! The files are read at the start, and again when they change or on request. A pair that
//! cannot be used changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::current::{Current, days_left};
use super::error::CertificateError;
use super::pair::{CertificatePair, PairOrigin};
use crate::metrics::Metrics;
use crate::pem_file;
use podtap_connect::reason::chain;

/// Time between two reads of the files. They are read completely: they have a few kilobytes,
/// and every kind of replacement is noticed (a rename, a symbolic link of Kubernetes).
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Number of days before its end from which a warning is logged for a certificate that was
/// not renewed.
const WARN_DAYS: i64 = 7;

/// Time between two such warnings.
const WARN_PERIOD: Duration = Duration::from_hours(24);

/// Files of a certificate and its key, which may be the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Contents of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Current problem with the files, as text.
#[derive(Debug, PartialEq, Eq)]
enum FilesFault {
    None,
    /// Found by the last read, but not logged: only one of two files may have been replaced so far.
    Found(String),
    /// The problem was logged.
    Told(String),
}

/// Keeps the relay's certificate equal to the one in the files.
#[derive(Debug)]
pub(crate) struct FileWatch {
    files: Files,
    current: Arc<Current>,
    reload: Arc<Notify>,
    /// Contents from which the current certificate was read.
    seen: Contents,
    doubt: FilesFault,
    not_after: Timestamp,
    warned_at: Option<Instant>,
}

impl FileWatch {
    /// Reads the files for the first time.
    pub(crate) fn open(
        certificate: &Path,
        key: &Path,
        metrics: Arc<Metrics>,
    ) -> Result<(Self, CertificatePair), CertificateError> {
        let files = Files {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let seen = files.read()?;
        let pair = files.judge(&seen, Timestamp::now())?;
        let current = Current::new(metrics);
        current.replace(&pair);
        let watch = Self {
            files,
            current,
            reload: Arc::default(),
            seen,
            doubt: FilesFault::None,
            not_after: pair.not_after,
            warned_at: None,
        };
        Ok((watch, pair))
    }

    /// Returns the certificate for new connections.
    pub(crate) fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current)
    }

    /// Returns the signal that makes [`Self::run`] read the files at once.
    pub(crate) fn reload(&self) -> Arc<Notify> {
        Arc::clone(&self.reload)
    }

    /// Reads the files periodically until the token is cancelled.
    pub(crate) async fn run(mut self, token: CancellationToken) {
        let reload = self.reload();
        loop {
            self.warn_of_end(Timestamp::now());
            let is_asked = tokio::select! {
                () = token.cancelled() => return,
                () = reload.notified() => true,
                () = sleep(LOOK_EVERY) => false,
            };
            let files = self.files.clone();
            // A disk may hang, and the files may be on a network drive.
            let read = tokio::select! {
                read = spawn_blocking(move || files.read()) => read,
                () = token.cancelled() => return,
            };
            let Ok(read) = read else { continue };
            self.take(read, is_asked, Timestamp::now());
        }
    }

    /// Applies the contents of the files. A pair that cannot be used is logged when a second
    /// read finds it again, because the two files are replaced one after the other; on request,
    /// it is logged at once.
    fn take(&mut self, read: Result<Contents, CertificateError>, is_asked: bool, now: Timestamp) {
        let is_known = read.as_ref().is_ok_and(|contents| *contents == self.seen);
        if is_known && !is_asked && self.doubt == FilesFault::None {
            return;
        }
        let judged = read.and_then(|contents| Ok((self.files.judge(&contents, now)?, contents)));
        let error = match judged {
            Ok((pair, contents)) => {
                self.doubt = FilesFault::None;
                if is_asked || contents != self.seen {
                    self.current.replace(&pair);
                    self.not_after = pair.not_after;
                    self.warned_at = None;
                    tracing::info!(
                        certificate = %self.files.certificate.display(),
                        valid_until = %pair.not_after,
                        days_left = days_left(pair.not_after, now),
                        "the certificate was read again"
                    );
                }
                self.seen = contents;
                return;
            }
            Err(error) => error,
        };
        let why = chain(&error);
        let is_due =
            is_asked || matches!(&self.doubt, FilesFault::Found(earlier) if *earlier == why);
        let is_told = matches!(&self.doubt, FilesFault::Told(earlier) if *earlier == why);
        if is_due {
            tracing::error!(
                error = why,
                hint = error.hint(),
                "the new certificate cannot be used; the relay keeps the old one"
            );
            self.doubt = FilesFault::Told(why);
        } else if !is_told {
            self.doubt = FilesFault::Found(why);
        }
    }

    fn warn_of_end(&mut self, now: Timestamp) {
        let days_left = days_left(self.not_after, now);
        let is_due = self.warned_at.is_none_or(|at| at.elapsed() >= WARN_PERIOD);
        if days_left < WARN_DAYS && is_due {
            self.warned_at = Some(Instant::now());
            tracing::warn!(
                certificate = %self.files.certificate.display(),
                valid_until = %self.not_after,
                days_left,
                "the certificate expires soon: renew it and replace the files"
            );
        }
    }
}

impl Files {
    fn origin(&self) -> PairOrigin<'_> {
        PairOrigin {
            certificate: &self.certificate,
            key: &self.key,
        }
    }

    fn read(&self) -> Result<Contents, CertificateError> {
        Ok(Contents {
            certificate: pem_file::read(&self.certificate)?,
            key: pem_file::read(&self.key)?,
        })
    }

    fn judge(
        &self,
        contents: &Contents,
        now: Timestamp,
    ) -> Result<CertificatePair, CertificateError> {
        let origin = self.origin();
        let pair = CertificatePair::parse(&contents.certificate, &contents.key, origin)?;
        pair.check_time(now, origin)?;
        Ok(pair)
    }
}

#[cfg(test)]
impl FileWatch {
    pub(super) fn check_now(&mut self, is_asked: bool) {
        self.take(self.files.read(), is_asked, Timestamp::now());
    }

    /// Returns the certificate for new connections.
    pub(super) fn shown_certificate(&self) -> Option<Vec<u8>> {
        self.current.shown_certificate()
    }

    pub(super) fn doubts_in_silence(&self) -> bool {
        matches!(self.doubt, FilesFault::Found(_))
    }

    pub(super) fn is_content(&self) -> bool {
        self.doubt == FilesFault::None
    }
}
