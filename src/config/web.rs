//! The settings of the web page that `listen` and `ui` serve.

use std::net::SocketAddr;

use secrecy::SecretString;

use super::key::Key;
use super::settings::Settings;
use crate::cli::WEB_ADDRESS;
use crate::failure::Failure;

/// The configuration of the web page.
#[derive(Debug)]
pub(crate) struct WebPage {
    pub(crate) address: SocketAddr,
    pub(crate) password: Option<SecretString>,
    /// Whether another port may be used.
    pub(crate) may_move: bool,
}

impl Settings {
    /// Returns the web page, if it is on.
    pub(crate) fn web(&self) -> Result<Option<WebPage>, Failure> {
        let address = self.with(Key::WEB, |text| {
            let text = match text {
                text if text.starts_with(':') => format!("127.0.0.1{text}"),
                text => text.replace("localhost:", "127.0.0.1:"),
            };
            text.parse::<SocketAddr>().map_err(|_| {
                "an address and port such as 127.0.0.1:7640; the port of the local service goes \
                 first: `podtap listen 3000 --web`"
            })
        })?;
        let Some(address) = address else {
            return Ok(None);
        };
        let password = self.secret(Key::WEB_PASSWORD, Key::WEB_PASSWORD_FILE)?;
        Ok(Some(WebPage {
            address,
            password: password.map(|password| password.value),
            may_move: address.to_string() == WEB_ADDRESS,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::settings;
    use super::*;

    #[test]
    fn a_page_is_at_an_address_and_a_port_of_a_service_is_none() {
        for (text, address) in [
            ("127.0.0.1:7640", "127.0.0.1:7640"),
            (":8000", "127.0.0.1:8000"),
            ("localhost:8000", "127.0.0.1:8000"),
            ("[::1]:0", "[::1]:0"),
            ("0.0.0.0:80", "0.0.0.0:80"),
        ] {
            let page = settings(&[(Key::WEB, text)], &[]).web().unwrap().unwrap();
            assert_eq!(page.address.to_string(), address, "{text}");
        }
        let wrong = settings(&[(Key::WEB, "3000")], &[]).web().unwrap_err();
        assert!(wrong.to_string().contains("3000"), "{wrong}");
        assert!(settings(&[], &[]).web().unwrap().is_none());
    }
}
