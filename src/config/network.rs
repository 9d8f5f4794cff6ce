//! The network settings: local service, relay, proxy, and addresses to listen on.

use std::net::SocketAddr;
use std::path::Path;

use http::uri::Authority;
use http::{HeaderValue, Uri};
use jiff::Timestamp;
use podtap_agent::Target;
use podtap_agent::config::HostHeader;
use podtap_agent::routes::{Route, Routes};
use podtap_connect::Proxy;
use podtap_connect::tls::{self, Trust};
use podtap_podio::reach;
use podtap_wire::Respond;
use url::{Host, Url};

use super::key::Key;
use super::settings::{Settings, wrong};
use crate::failure::Failure;
use crate::file;

/// Maximum size of a file of certificates, in bytes: the authorities of a whole system are 250 KiB.
const MAX_CERTIFICATES: u64 = 4 * 1024 * 1024;

/// A valid `Host` header, for errors.
const HOST: &str = "a host name such as shop.localhost or shop.localhost:8080";

impl Settings {
    /// Returns the local service or the command that replaces it, if one is set. If both are,
    /// the one from the stronger source counts; if both are from the same source, this fails.
    pub(crate) fn target(&self) -> Result<Option<Target>, Failure> {
        match self.is_stronger(Key::EXEC, Key::FORWARD_TO) {
            Some(true) => self.command(),
            Some(false) => self.service(),
            None if self.entry(Key::EXEC).is_none() => Ok(None),
            None => Err(Failure::usage("exec and forward-to are both set")
                .hint("remove one, or send some events to another service with --route")),
        }
    }

    /// Returns the target that `forward-to` sets.
    pub(super) fn service(&self) -> Result<Option<Target>, Failure> {
        let Some((text, origin)) = self.entry(Key::FORWARD_TO) else {
            return Ok(None);
        };
        let target = Target::from_setting(text)
            .map_err(|error| wrong(Key::FORWARD_TO, text, origin, &error.to_string()));
        target.map(Some)
    }

    /// Returns the command that runs for each event.
    pub(super) fn command(&self) -> Result<Option<Target>, Failure> {
        self.with(Key::EXEC, |text| {
            Target::from_setting(&format!("exec:{text}"))
                .map_err(|_| "a command, such as ./handler.sh")
        })
    }

    /// Returns the routes in order; the setting has one per line.
    pub(crate) fn routes(&self) -> Result<Vec<Route>, Failure> {
        let Some((text, origin)) = self.entry(Key::ROUTE) else {
            return Ok(Vec::new());
        };
        let now = Timestamp::now();
        let saved = self.filters(now)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let routes = lines.map(|line| {
            Route::parse(line, now, &saved)
                .map_err(|error| wrong(Key::ROUTE, line, origin, &error.to_string()))
        });
        let routes: Vec<Route> = routes.collect::<Result<_, _>>()?;
        Routes::new(routes.clone(), None)
            .map_err(|error| wrong(Key::ROUTE, "…", origin, &error.to_string()))?;
        Ok(routes)
    }

    /// Returns the routes and the local service, if they are set.
    pub(crate) fn all_routes(&self) -> Result<Routes, Failure> {
        Routes::new(self.routes()?, self.target()?)
            .map_err(|error| Failure::usage(error.to_string()))
    }

    /// Returns the `Host` header that the local service gets.
    pub(crate) fn host_header(&self) -> Result<HostHeader, Failure> {
        Ok(match self.fixed_host()? {
            Some(fixed) => HostHeader::Fixed(fixed),
            None if self.switch(Key::PRESERVE_HOST, false)? => HostHeader::Sender,
            None => HostHeader::Service,
        })
    }

    /// Returns the `Host` header, if it is set.
    pub(super) fn fixed_host(&self) -> Result<Option<HeaderValue>, Failure> {
        self.with(Key::HOST_HEADER, |text| {
            let name: Authority = text.parse().map_err(|_| HOST)?;
            let value = HeaderValue::from_str(name.as_str()).map_err(|_| HOST)?;
            (!text.contains('@')).then_some(value).ok_or(HOST)
        })
    }

    /// Returns the relay's URL, if it is set. The token is sent there;
    /// without encryption only to this machine, unless a setting allows more.
    pub(crate) fn relay(&self) -> Result<Option<Url>, Failure> {
        let Some(url) = self.relay_url()? else {
            return Ok(None);
        };
        if !url.username().is_empty() || url.password().is_some() {
            let host = url.host_str().unwrap_or_default();
            return Err(Failure::usage(
                "the relay's URL has a user or a password, which podtap does not send",
            )
            .fact("relay", host)
            .hint("remove it; put the token into PODTAP_TOKEN or --token-file"));
        }
        let is_safe = url.scheme() == "https" || reach::is_this_machine(&url);
        if is_safe || self.switch(Key::ALLOW_PLAINTEXT_RELAY, false)? {
            return Ok(Some(url));
        }
        Err(
            Failure::usage("the token would be sent unencrypted: the relay's URL is not https")
                .fact("relay", url.as_str())
                .hint("use https://, or --allow-plaintext-relay on a network that you trust"),
        )
    }

    fn relay_url(&self) -> Result<Option<Url>, Failure> {
        self.with(Key::RELAY, web_url)
    }

    /// Returns the relay's public URL, if it is set.
    pub(crate) fn public_url(&self) -> Result<Option<Url>, Failure> {
        self.with(Key::PUBLIC_URL, web_url)
    }

    /// Returns the certificates that are trusted besides those of the system's authorities.
    pub(crate) fn trust(&self) -> Result<Trust, Failure> {
        let certificates = match self.entry(Key::CA_FILE) {
            Some((path, origin)) => {
                let pem = file::read(Path::new(path), MAX_CERTIFICATES);
                let pem = pem.map_err(|error| error.to_string());
                let read =
                    pem.and_then(|pem| tls::certificates(&pem).map_err(|error| error.to_string()));
                read.map_err(|error| {
                    Failure::usage("the certificates cannot be read")
                    .fact("file", path.clone())
                    .fact("why", error)
                    .fact("from", origin.to_string())
                    .hint(
                        "--ca-file needs a PEM file, which begins with -----BEGIN CERTIFICATE-----",
                    )
                })?
            }
            None => Vec::new(),
        };
        Ok(Trust {
            certificates,
            insecure_local: self.switch(Key::INSECURE_LOCAL, false)?,
        })
    }

    /// Returns whether the relay or the local service decides the response to the sender.
    pub(crate) fn respond(&self) -> Result<Respond, Failure> {
        let respond = self.with(Key::RESPOND, |text| match text {
            "stored" => Ok(Respond::Stored),
            "local" => Ok(Respond::Local),
            _ => Err("`stored` or `local`"),
        })?;
        Ok(respond.unwrap_or_default())
    }

    /// Returns the proxy for a URL, if the environment names one. A URL
    /// of this machine has none, since only this machine can reach it.
    pub(crate) fn proxy(&self, to: &Url) -> Result<Option<Proxy>, Failure> {
        if reach::is_this_machine(to) {
            return Ok(None);
        }
        let uri: Uri = to
            .as_str()
            .parse()
            .map_err(|error| Failure::because("the URL cannot be called", &error))?;
        // The text may contain a password, so the error does not repeat it.
        self.environment()
            .proxies()
            .proxy_for(&uri)
            .map_err(|error| {
                Failure::usage(error.to_string())
                    .hint("check HTTPS_PROXY, http_proxy and ALL_PROXY in the environment")
            })
    }

    /// Returns the address that a relay or the sandbox listens on, if it is set.
    pub(crate) fn listen(&self) -> Result<Option<SocketAddr>, Failure> {
        self.with(Key::LISTEN, address)
    }

    /// Returns the address on which a relay with a certificate
    /// accepts webhooks without TLS, if it is set.
    pub(crate) fn http_listen(&self) -> Result<Option<SocketAddr>, Failure> {
        let set = self.with(Key::HTTP_LISTEN, |text| match text {
            "off" => Ok(None),
            text => address(text).map(Some),
        });
        Ok(set?.flatten())
    }

    /// Returns the address that the public relay listens on: the setting, or
    /// else `PORT` on all addresses, as is usual in containers. Nothing else
    /// reads `PORT`, since many developers set it for their own programs.
    pub(crate) fn relay_listen(&self) -> Result<Option<SocketAddr>, Failure> {
        if let Some(address) = self.listen()? {
            return Ok(Some(address));
        }
        let Some(port) = self.environment().get("PORT") else {
            return Ok(None);
        };
        let port: u16 = port.parse().map_err(|_| {
            Failure::usage(format!("the variable PORT cannot be `{port}`"))
                .hint("set it to a number from 1 to 65535, or set an address with --listen")
        })?;
        Ok(Some(SocketAddr::from(([0, 0, 0, 0], port))))
    }
}

/// Parses an address to listen on.
fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = if text.starts_with(':') {
        format!("0.0.0.0{text}")
    } else {
        text.into()
    };
    text.parse()
        .map_err(|_| "an address and port such as 127.0.0.1:8080 or :8080")
}

/// Parses an HTTP URL; `https://` may be left out.
fn web_url(text: &str) -> Result<Url, &'static str> {
    const EXPECTED: &str = "a URL such as https://hooks.example.com";
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("https://{text}")
    };
    let url: Url = text.parse().map_err(|_| EXPECTED)?;
    // URLs accept a number as an IPv4 address: `5` would be 0.0.0.5, and `1.2` would be 1.0.0.2.
    if let Some(Host::Ipv4(address)) = url.host()
        && !text.contains(&address.to_string())
    {
        return Err(EXPECTED);
    }
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    is_web.then_some(url).ok_or("an http:// or https:// URL")
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
        for wrong in [
            "ftp://x",
            "5",
            "3.5",
            "1.2.3",
            "0x7f.1",
            "http://5:80",
            "017700000001",
            "",
        ] {
            assert!(relay(wrong).is_err(), "{wrong}");
        }
        let set = settings(&[(Key::PUBLIC_URL, "hooks.test")], &[]);
        assert_eq!(set.public_url().unwrap().unwrap().scheme(), "https");
    }

    #[test]
    fn a_token_goes_in_the_clear_to_this_machine_only_unless_asked_for() {
        let relay =
            |text, more: &[_]| settings(&[&[(Key::RELAY, text)], more].concat(), &[]).relay();
        for near in ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8"] {
            assert!(relay(near, &[]).is_ok(), "{near}");
        }
        for far in [
            "http://hooks.test",
            "http://10.0.0.1:8080",
            "http://localhost.test",
        ] {
            let refused = relay(far, &[]).unwrap_err().to_string();
            assert!(refused.contains("https://"), "{refused}");
            assert!(refused.contains("--allow-plaintext-relay"), "{refused}");
            let allowed = (Key::ALLOW_PLAINTEXT_RELAY, "true");
            assert!(relay(far, &[allowed]).is_ok(), "{far}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for (key, text) in [
            (Key::RELAY, "https://ann:hunter2@hooks.test"),
            (Key::RELAY, "ann:hunter2@hooks.test"),
            (Key::RELAY, "ftp://ann:hunter2@hooks.test"),
            (Key::RELAY, "https://ann:hunter2@hooks test"),
            (Key::FORWARD_TO, "http://ann:hunter2@localhost:3000"),
            (Key::FORWARD_TO, "ann:hunter2@local host"),
        ] {
            let set = settings(&[(key, text)], &[]);
            let refused = set.relay().map(drop).and_then(|()| set.target().map(drop));
            let refused = refused.unwrap_err();
            let shown = format!("{refused} {refused:?}");
            assert!(!shown.contains("hunter2"), "{text}: {shown}");
        }
    }

    #[test]
    fn the_host_header_is_a_name_with_or_without_a_port() {
        let host = |text| settings(&[(Key::HOST_HEADER, text)], &[]).host_header();
        for good in ["shop.localhost", "shop.localhost:8080", "[::1]:3"] {
            let fixed = HostHeader::Fixed(HeaderValue::from_static(good));
            assert_eq!(host(good).unwrap(), fixed);
        }
        for wrong in ["", "http://shop", "shop/path", "ann@shop", "a b", "a\r\nb"] {
            assert!(host(wrong).is_err(), "{wrong:?}");
        }
        let sender = settings(&[(Key::PRESERVE_HOST, "true")], &[]).host_header();
        assert_eq!(sender.unwrap(), HostHeader::Sender);
    }

    #[test]
    fn a_command_and_a_service_of_the_same_source_are_refused_and_else_the_stronger_counts() {
        let (exec, service) = ((Key::EXEC, "./h.sh"), (Key::FORWARD_TO, "3000"));
        let target = |flags: &[_], env: &[_]| {
            let target = settings(flags, env).target();
            target.map(|target| target.map(|target| target.to_string()))
        };
        let command = Some("exec:./h.sh".to_owned());
        let port = Some("http://localhost:3000".to_owned());
        assert_eq!(target(&[], &[]).unwrap(), None);
        assert_eq!(target(&[exec], &[]).unwrap(), command);
        assert_eq!(target(&[exec], &[service]).unwrap(), command);
        assert_eq!(target(&[service], &[exec]).unwrap(), port);
        let both = target(&[], &[exec, service]).unwrap_err().to_string();
        assert!(both.contains("both set"), "{both}");
        assert!(target(&[(Key::EXEC, " ")], &[]).is_err());
    }

    #[test]
    fn the_relay_may_be_told_a_port_alone() {
        let set = settings(&[(Key::LISTEN, ":8080")], &[]);
        assert_eq!(set.listen().unwrap(), Some("0.0.0.0:8080".parse().unwrap()));
        assert_eq!(settings(&[], &[]).listen().unwrap(), None);
    }
}
