//! Tests certificates in files: each way in which they can be wrong, and how they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use super::error::CertificateError;
use super::files::FileWatch;
use super::pair::{CertificatePair, PairOrigin};
use crate::metrics::Metrics;

/// Returns a certificate for `hooks.test` and its key. It is valid from and to this number
/// of days from now.
fn issue_certificate(from: i64, to: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["hooks.test".to_owned()]).unwrap();
    let day = |days: i64| {
        let at = Timestamp::now() + SignedDuration::from_hours(24 * days);
        rcgen::date_time_ymd(1970, 1, 1)
            + std::time::Duration::from_secs(at.as_second().unsigned_abs())
    };
    params.not_before = day(from);
    params.not_after = day(to);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, (certificate, key): &(String, String)) {
        std::fs::write(self.certificate(), certificate).unwrap();
        std::fs::write(self.key(), key).unwrap();
    }

    fn certificate(&self) -> PathBuf {
        self.0.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.path().join("key.pem")
    }

    fn open(&self) -> Result<FileWatch, CertificateError> {
        let opened = FileWatch::open(&self.certificate(), &self.key(), Arc::new(Metrics::new()));
        opened.map(|(watch, _)| watch)
    }

    /// Returns the error and the hint for these files.
    fn wrong(&self, certificate: &str, key: &str) -> String {
        self.write(&(certificate.to_owned(), key.to_owned()));
        let error = self.open().unwrap_err();
        format!("{error}; {}", error.hint())
    }
}

#[test]
fn each_fault_of_a_pair_is_named_with_its_file_and_what_to_do() {
    let folder = Folder::new();
    let (certificate, key) = issue_certificate(-1, 30);
    let (other, other_key) = issue_certificate(-1, 30);
    let (expired, expired_key) = issue_certificate(-30, -1);
    let (future, future_key) = issue_certificate(1, 30);
    let both = format!("{other}{certificate}");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let broken = certificate.replace("MII", "AAA");
    // A key with a passphrase in the form that OpenSSL wrote before PKCS #8.
    let traditional = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                       DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n\
                       MIIBOgIBAAJBAK==\n-----END RSA PRIVATE KEY-----\n";
    let with_sealed = format!("{traditional}{certificate}");
    for (cert, key, file, words) in [
        (&*certificate, &*other_key, "cert.pem", "does not belong"),
        (&*certificate, &*other_key, "key.pem", "fullchain.pem"),
        (&*both, &*key, "cert.pem", "own certificate first"),
        (&*expired, &*expired_key, "cert.pem", "expired at"),
        (&*expired, &*expired_key, "cert.pem", "renew it"),
        (&*future, &*future_key, "cert.pem", "valid only from"),
        ("", &*key, "cert.pem", "no certificate"),
        (&*certificate, "", "key.pem", "no private key"),
        (&*key, &*certificate, "cert.pem", "swapped"),
        (&*certificate, &*certificate, "key.pem", "swapped"),
        (&*certificate, &*encrypted, "key.pem", "openssl pkey"),
        (&*certificate, traditional, "key.pem", "encrypted"),
        (&*certificate, traditional, "key.pem", "openssl pkey"),
        (traditional, &*key, "cert.pem", "swapped"),
        (&*with_sealed, &*key, "cert.pem", "openssl pkey"),
        ("not PEM at all", &*key, "cert.pem", "no certificate"),
        (&*certificate, "not PEM at all", "key.pem", "no private key"),
        (&*broken, &*key, "cert.pem", "not an X.509 certificate"),
    ] {
        let told = folder.wrong(cert, key);
        assert!(
            told.contains(file) && told.contains(words),
            "{words}: {told}"
        );
        assert!(
            !told.contains("BEGIN PRIVATE") || told.contains("it should begin"),
            "{told}"
        );
    }
}

#[test]
fn a_path_without_a_usable_file_is_named() {
    let folder = Folder::new();
    let (certificate, key) = issue_certificate(-1, 30);
    folder.write(&(certificate, key));
    let open = |certificate: &Path| {
        let opened = FileWatch::open(certificate, &folder.key(), Arc::new(Metrics::new()));
        opened.unwrap_err().to_string()
    };
    let missing = folder.0.path().join("missing");
    assert!(open(&missing).contains("missing cannot be read"));
    assert!(open(folder.0.path()).contains("it is a folder"));
    assert!(open(Path::new("/dev/zero")).contains("it is a device"));
    std::fs::write(folder.certificate(), vec![b'x'; 2 * 1024 * 1024]).unwrap();
    assert!(open(&folder.certificate()).contains("larger than"));
    for der in [[0x30, 0x82, 1, 2, 3], [0x30, 0x81, 9, 0, 0]] {
        std::fs::write(folder.certificate(), der).unwrap();
        assert!(open(&folder.certificate()).contains("cert.pem is not in PEM format"));
    }
}

#[test]
fn one_file_may_hold_both_and_a_pair_knows_its_names() {
    let (certificate, key) = issue_certificate(-1, 30);
    let both = format!("{key}{certificate}");
    let path = Path::new("both.pem");
    let origin = PairOrigin {
        certificate: path,
        key: path,
    };
    let pair = CertificatePair::parse(both.as_bytes(), both.as_bytes(), origin).unwrap();
    assert!(pair.is_for("hooks.test"));
    assert!(!pair.is_for("other.test") && !pair.is_for("127.0.0.1") && !pair.is_for("[::1]"));
}

#[test]
fn a_good_change_is_taken_and_a_bad_one_is_told_once_and_changes_nothing() {
    let folder = Folder::new();
    let (first, second) = (issue_certificate(-1, 30), issue_certificate(-1, 60));
    folder.write(&first);
    let mut watch = folder.open().unwrap();
    let before = watch.shown_certificate();

    // Only one of the files has changed: nothing is applied, and nothing is logged before the
    // second read.
    folder.write(&(second.0.clone(), first.1.clone()));
    watch.check_now(false);
    assert!(watch.doubts_in_silence() && watch.shown_certificate() == before);
    watch.check_now(false);
    assert!(!watch.doubts_in_silence() && watch.shown_certificate() == before);

    folder.write(&second);
    watch.check_now(false);
    let after = watch.shown_certificate();
    assert!(after != before && watch.is_content());

    // On request, an error is logged at once. After the old files are back, they are valid again.
    folder.write(&(String::new(), second.1.clone()));
    watch.check_now(true);
    assert!(!watch.doubts_in_silence() && !watch.is_content());
    folder.write(&second);
    watch.check_now(false);
    assert!(watch.is_content() && watch.shown_certificate() == after);
}
