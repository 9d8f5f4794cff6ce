//! The settings of a relay's TLS certificate.

use podtap_relay::{Acme, TlsMode};
use url::{Host, Url};

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;

/// The source of the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CertificateSource {
    Off,
    Files,
    Acme,
}

/// The settings that name the files.
const OF_FILES: [Key; 2] = [Key::TLS_CERT, Key::TLS_KEY];

/// The settings of a certificate that is ordered through ACME.
const OF_ACME: [Key; 4] = [
    Key::ACME_DOMAIN,
    Key::ACME_CONTACT,
    Key::ACME_DIRECTORY,
    Key::ACME_CA,
];

impl Settings {
    /// Returns whether the relay uses TLS, and its certificate.
    pub(crate) fn tls(&self) -> Result<TlsMode, Failure> {
        match self.tls_source()? {
            Some(CertificateSource::Files) => {
                self.refuse_unused(
                    &OF_ACME,
                    "tls is files",
                    "remove it, or set tls to acme to order a certificate",
                )?;
                Ok(TlsMode::Files {
                    certificate: self.tls_file(Key::TLS_CERT)?.into(),
                    key: self.tls_file(Key::TLS_KEY)?.into(),
                })
            }
            Some(CertificateSource::Acme) => {
                self.refuse_unused(
                    &OF_FILES,
                    "tls is acme",
                    "remove it, or set tls to files to use a certificate of your own",
                )?;
                self.acme().map(TlsMode::Acme)
            }
            Some(CertificateSource::Off) => Ok(TlsMode::Off),
            None => {
                let unused = [&OF_FILES[..], &OF_ACME].concat();
                let hint = "add --tls files or --tls acme, or --tls off to leave it off";
                self.refuse_unused(&unused, "TLS is off", hint)?;
                Ok(TlsMode::Off)
            }
        }
    }

    /// Refuses the first of these keys that is set, since
    /// it would have no effect; `because` says why.
    fn refuse_unused(&self, keys: &[Key], because: &str, hint: &str) -> Result<(), Failure> {
        let mut set = keys.iter().filter_map(|key| Some((key, self.entry(*key)?)));
        let Some((key, (_, origin))) = set.next() else {
            return Ok(());
        };
        let what = format!("{} is set, but {because}", key.name());
        Err(Failure::usage(what)
            .fact("from", origin.to_string())
            .hint(hint))
    }

    fn tls_source(&self) -> Result<Option<CertificateSource>, Failure> {
        self.with(Key::TLS, |text| match text {
            "off" => Ok(CertificateSource::Off),
            "files" => Ok(CertificateSource::Files),
            "acme" => Ok(CertificateSource::Acme),
            _ => Err("`off`, `files` or `acme`"),
        })
    }

    /// Returns the settings for ordering a certificate.
    fn acme(&self) -> Result<Acme, Failure> {
        let missing = |name: &str, hint: &str| {
            Failure::usage(format!("`tls` is `acme`, but {name} is missing")).hint(hint)
        };
        let domains = self.acme_domains()?.ok_or_else(|| {
            missing(
                "acme-domain",
                "add the relay's domain, such as --acme-domain hooks.example.com",
            )
        })?;
        let contacts = self.acme_contacts()?.ok_or_else(|| {
            missing(
                "acme-contact",
                "give the authority your mail address: --acme-contact ann@example.com",
            )
        })?;
        let directory = self.acme_directory()?;
        let standard = || {
            Acme::LETS_ENCRYPT
                .parse()
                .map_err(|_| missing("acme-directory", ""))
        };
        Ok(Acme {
            domains,
            contacts,
            directory: directory.map_or_else(standard, Ok)?,
            authorities: self.text(Key::ACME_CA).map(Into::into),
        })
    }

    pub(super) fn acme_domains(&self) -> Result<Option<Vec<String>>, Failure> {
        self.with(Key::ACME_DOMAIN, |text| {
            let domains = text
                .split(',')
                .map(str::trim)
                .map(|name| match Host::parse(name) {
                    Ok(Host::Domain(domain)) if domain.contains('.') && !domain.contains('*') => {
                        Some(domain)
                    }
                    _ => None,
                });
            let domains: Option<Vec<String>> = domains.collect();
            domains.ok_or("a public domain such as hooks.example.com, not an address or a wildcard")
        })
    }

    pub(super) fn acme_contacts(&self) -> Result<Option<Vec<String>>, Failure> {
        self.with(Key::ACME_CONTACT, |text| {
            let contacts = text.split(',').map(str::trim).map(|address| {
                let address = address.strip_prefix("mailto:").unwrap_or(address);
                let (name, domain) = address.split_once('@')?;
                let is_mail = !name.is_empty() && Host::parse(domain).is_ok();
                is_mail.then(|| address.to_owned())
            });
            let contacts: Option<Vec<String>> = contacts.collect();
            contacts.ok_or("a mail address such as ann@example.com")
        })
    }

    pub(super) fn acme_directory(&self) -> Result<Option<Url>, Failure> {
        self.with(Key::ACME_DIRECTORY, |text| {
            let url: Option<Url> = text.parse().ok();
            url.filter(|url| url.scheme() == "https" && url.has_host())
                .ok_or("the https:// URL of an ACME directory")
        })
    }

    /// Returns the path of a file that `tls = "files"` needs.
    fn tls_file(&self, key: Key) -> Result<&str, Failure> {
        self.text(key).ok_or_else(|| {
            let name = key.name();
            Failure::usage(format!("`tls` is `files`, but {name} is missing")).hint(
                "set tls-cert and tls-key to the files of the certificate chain and of its private key",
            )
        })
    }

    /// Parses only the setting `tls`.
    pub(super) fn check_tls(&self) -> Result<(), Failure> {
        self.tls_source().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::settings;
    use super::*;

    #[test]
    fn files_need_both_and_neither_is_set_in_vain() {
        let tls = |flags: &[_]| settings(flags, &[]).tls();
        let (files, cert, key) = (
            (Key::TLS, "files"),
            (Key::TLS_CERT, "/c.pem"),
            (Key::TLS_KEY, "/k.pem"),
        );
        let expected = TlsMode::Files {
            certificate: "/c.pem".into(),
            key: "/k.pem".into(),
        };
        assert_eq!(tls(&[files, cert, key]).unwrap(), expected);
        assert_eq!(tls(&[]).unwrap(), TlsMode::Off);
        assert_eq!(tls(&[(Key::TLS, "off"), cert, key]).unwrap(), TlsMode::Off);
        for (flags, word) in [
            (&[files, cert][..], "tls-key"),
            (&[files, key], "tls-cert"),
            (&[cert, key], "--tls files"),
            (&[(Key::TLS, "acme")], "acme-domain"),
            (
                &[(Key::TLS, "acme"), (Key::ACME_DOMAIN, "h.example.com")],
                "acme-contact",
            ),
            (
                &[(Key::TLS, "acme"), (Key::ACME_DOMAIN, "192.0.2.1")],
                "not an address",
            ),
            (&[(Key::ACME_DOMAIN, "h.example.com")], "--tls acme"),
            (&[(Key::TLS, "on")], "`off`, `files` or `acme`"),
        ] {
            let error = tls(flags).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn what_another_source_would_need_is_refused_and_not_ignored() {
        let files = [
            (Key::TLS, "files"),
            (Key::TLS_CERT, "/c.pem"),
            (Key::TLS_KEY, "/k.pem"),
        ];
        let acme = [
            (Key::TLS, "acme"),
            (Key::ACME_DOMAIN, "h.example.com"),
            (Key::ACME_CONTACT, "ann@example.com"),
        ];
        let set = |key: Key| {
            let value = match key {
                Key::ACME_DOMAIN => "h.example.com",
                Key::ACME_CONTACT => "ann@example.com",
                Key::ACME_DIRECTORY => "https://ca.example.com/dir",
                _ => "/file.pem",
            };
            (key, value)
        };
        let refused = |before: &[_], key: Key| {
            let flags = [before, &[set(key)]].concat();
            let error = settings(&flags, &[]).tls().unwrap_err().to_string();
            assert!(error.contains(key.name()), "{error}");
            error
        };
        for key in OF_ACME {
            assert!(refused(&files, key).contains("tls is files"));
            assert!(refused(&[], key).contains("--tls acme"));
        }
        for key in OF_FILES {
            assert!(refused(&acme, key).contains("tls is acme"));
            assert!(refused(&[], key).contains("--tls files"));
        }
        for key in [OF_FILES.as_slice(), &OF_ACME].concat() {
            let off = settings(&[(Key::TLS, "off"), set(key)], &[]).tls();
            assert_eq!(off.unwrap(), TlsMode::Off, "{key:?}");
        }
        assert!(settings(&acme, &[]).tls().is_ok());
    }
}
