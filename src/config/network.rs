//! The settings of what is talked to, and where: local service, relay, proxy, and what listens.

use std::net::SocketAddr;
use std::str::FromStr;

use podtap_agent::Target;
use podtap_wire::Respond;
use url::Url;

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;

impl Settings {
    /// The local service, where one is set.
    pub(crate) fn target(&self) -> Result<Option<Target>, Failure> {
        self.parsed(Key::FORWARD_TO)
    }

    /// The relay's URL, where one is set.
    pub(crate) fn relay(&self) -> Result<Option<Url>, Failure> {
        self.with(Key::RELAY, |text| {
            let text = if text.contains("://") {
                text.into()
            } else {
                format!("https://{text}")
            };
            let url: Url = text
                .parse()
                .map_err(|_| "a URL such as https://hooks.example.com")?;
            let good = matches!(url.scheme(), "http" | "https") && url.host().is_some();
            if good {
                Ok(url)
            } else {
                Err("an http:// or https:// URL")
            }
        })
    }

    /// Who answers the sender.
    pub(crate) fn respond(&self) -> Result<Respond, Failure> {
        let respond = self.with(Key::RESPOND, |text| match text {
            "stored" => Ok(Respond::Stored),
            "local" => Ok(Respond::Local),
            _ => Err("`stored` or `local`"),
        })?;
        Ok(respond.unwrap_or_default())
    }

    /// The proxy on the way to a URL, where the environment names one.
    pub(crate) fn proxy<T>(&self, to: &Url) -> Result<Option<T>, Failure>
    where
        T: FromStr,
    {
        let host = to.host_str().unwrap_or_default();
        let Some(proxy) = self.environment().proxy_for(to.scheme(), host) else {
            return Ok(None);
        };
        let with_scheme = if proxy.contains("://") {
            proxy.to_owned()
        } else {
            format!("http://{proxy}")
        };
        // The text may hold a password: it is not repeated.
        let parsed = with_scheme.parse().map(Some);
        parsed.map_err(|_| Failure::usage("the proxy's URL cannot be read"))
    }

    /// Where a relay or the sandbox listens, where that is set.
    pub(crate) fn listen(&self) -> Result<Option<SocketAddr>, Failure> {
        self.with(Key::LISTEN, |text| {
            let text = if text.starts_with(':') {
                format!("0.0.0.0{text}")
            } else {
                text.into()
            };
            text.parse()
                .map_err(|_| "an address and port such as 127.0.0.1:8080 or :8080")
        })
    }

    /// Where the public relay listens: as set, else `PORT` on all addresses, the convention of
    /// containers. Nothing else reads `PORT`, which many developers' shells have for their own
    /// programs.
    pub(crate) fn relay_listen(&self) -> Result<Option<SocketAddr>, Failure> {
        if let Some(address) = self.listen()? {
            return Ok(Some(address));
        }
        let Some(port) = self.environment().get("PORT") else {
            return Ok(None);
        };
        let port: u16 = port.parse().map_err(|_| {
            Failure::usage(format!("the variable PORT cannot be `{port}`"))
                .hint("set it to a number from 1 to 65535, or name an address with --listen")
        })?;
        Ok(Some(SocketAddr::from(([0, 0, 0, 0], port))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::settings;
    use super::*;

    #[test]
    fn a_relay_may_be_written_without_its_scheme() {
        let relay = |text| settings(&[(Key::RELAY, text)], &[]).relay();
        assert_eq!(
            relay("hooks.test").unwrap().unwrap().as_str(),
            "https://hooks.test/"
        );
        assert_eq!(
            relay("http://[::1]:8080").unwrap().unwrap().port(),
            Some(8080)
        );
        assert!(relay("ftp://x").is_err());
    }

    #[test]
    fn the_relay_may_be_told_a_port_alone() {
        let set = settings(&[(Key::LISTEN, ":8080")], &[]);
        assert_eq!(set.listen().unwrap(), Some("0.0.0.0:8080".parse().unwrap()));
        assert_eq!(settings(&[], &[]).listen().unwrap(), None);
    }
}
