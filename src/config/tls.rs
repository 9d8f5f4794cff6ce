//! The settings of a relay that has a certificate of its own.

use podtap_relay::TlsMode;

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;

/// Where the certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Off,
    Files,
}

impl Settings {
    /// Whether the relay secures its connections, and with which certificate.
    pub(crate) fn tls(&self) -> Result<TlsMode, Failure> {
        match self.tls_source()? {
            Some(Source::Files) => Ok(TlsMode::Files {
                certificate: self.tls_file(Key::TLS_CERT)?.into(),
                key: self.tls_file(Key::TLS_KEY)?.into(),
            }),
            Some(Source::Off) => Ok(TlsMode::Off),
            None => {
                let needless = [Key::TLS_CERT, Key::TLS_KEY].into_iter().find_map(|key| {
                    let (_, origin) = self.entry(key)?;
                    Some((key, origin))
                });
                let Some((key, origin)) = needless else {
                    return Ok(TlsMode::Off);
                };
                let name = key.name();
                let what = format!("{name} is set, but TLS is off");
                Err(Failure::usage(what)
                    .fact("from", origin.to_string())
                    .hint("add --tls files, or --tls off to leave it off"))
            }
        }
    }

    fn tls_source(&self) -> Result<Option<Source>, Failure> {
        self.with(Key::TLS, |text| match text {
            "off" => Ok(Source::Off),
            "files" => Ok(Source::Files),
            _ => Err("`off` or `files`"),
        })
    }

    /// A file that `tls = "files"` needs.
    fn tls_file(&self, key: Key) -> Result<&str, Failure> {
        self.text(key).ok_or_else(|| {
            let name = key.name();
            Failure::usage(format!("`tls` is `files`, but {name} is missing")).hint(
                "set tls-cert and tls-key to the files of the certificate chain and of its private key",
            )
        })
    }

    /// Parses the setting alone.
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
            (&[(Key::TLS, "on")], "`off` or `files`"),
        ] {
            let error = tls(flags).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
