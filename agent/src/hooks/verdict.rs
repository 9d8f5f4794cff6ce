//! Judges the URL of a hook: does it belong to this tunnel, to another one that may no longer be
//! served, or can Podio not call it? Hooks of old tunnels stay on an app, and their owner is
//! unknown (podio.md 7). Pure: words, and what is known about the tunnel.

use podtap_podio::client::BaseUrl;
use podtap_podio::hook_url::{Uncallable, check_hook_url};
use podtap_podio::reach;
use podtap_wire::TunnelKey;
use url::{Host, Url};

use super::temporary::temporary;

/// The verdict on a hook's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlVerdict {
    /// It belongs to this tunnel.
    Ours,
    /// It belongs to another tunnel of the same relay:
    /// most likely one that was rotated or forgotten.
    OtherTunnel,
    /// Podio would not call it.
    Uncallable(Uncallable),
    /// It belongs to a service whose tunnels mostly live for a session.
    Temporary(&'static str),
    /// Nothing is known against it.
    Unsuspected,
}

impl UrlVerdict {
    /// Returns one or two words of a fixed set; `None` if nothing is known about the URL.
    pub const fn word(&self) -> Option<&'static str> {
        match self {
            Self::Ours => Some("this tunnel"),
            Self::OtherTunnel => Some("other tunnel"),
            Self::Uncallable(Uncallable::Malformed(_)) => Some("no URL"),
            Self::Uncallable(Uncallable::Port(_)) => Some("unusable port"),
            Self::Uncallable(Uncallable::ThisMachine(_)) => Some("this machine"),
            Self::Uncallable(Uncallable::PrivateAddress(_) | Uncallable::ReservedAddress(_)) => {
                Some("private address")
            }
            Self::Uncallable(Uncallable::PrivateName(_)) => Some("private name"),
            Self::Uncallable(Uncallable::UserInfo) => Some("with a password"),
            Self::Uncallable(Uncallable::Fragment) => Some("with a fragment"),
            Self::Temporary(_) => Some("temporary"),
            Self::Unsuspected => None,
        }
    }

    /// Returns where the URL leads, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Ours => "this tunnel".to_owned(),
            Self::OtherTunnel => "another tunnel of the same relay, probably one that was rotated \
                 or is no longer used"
                .to_owned(),
            Self::Uncallable(why) => why.to_string(),
            Self::Temporary(service) => {
                format!("a temporary tunnel of {service}, which may be gone")
            }
            Self::Unsuspected => "elsewhere; podtap sees nothing wrong with it".to_owned(),
        }
    }

    /// Returns whether events of this hook can no longer reach a receiver.
    pub const fn is_dead(&self) -> bool {
        matches!(self, Self::OtherTunnel | Self::Uncallable(_))
    }
}

/// What is needed to judge URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookUrls {
    /// This tunnel, if it is known.
    ours: Option<TunnelUrl>,
    /// Whether the API is a sandbox on this machine,
    /// which reaches everything that this machine does.
    is_near: bool,
}

impl HookUrls {
    /// Creates what is needed for hooks of this API; `url` is the tunnel's URL or one below it.
    pub fn new(api: &BaseUrl, url: Option<&str>) -> Self {
        Self {
            ours: url.and_then(TunnelUrl::of),
            is_near: is_this_machine(api.as_str()),
        }
    }

    /// Returns whether it is known which URLs belong to this tunnel.
    pub(crate) const fn knows_tunnel(&self) -> bool {
        self.ours.is_some()
    }

    /// Checks whether Podio can call a URL.
    ///
    /// # Errors
    /// Returns the reason for which it cannot.
    pub fn check(&self, url: &str) -> Result<(), Uncallable> {
        match check_hook_url(url) {
            Err(why) if !self.is_near || why.is_for_nobody() => Err(why),
            _ => Ok(()),
        }
    }

    /// Returns the verdict on a URL.
    pub fn verdict(&self, url: &str) -> UrlVerdict {
        if let Err(why) = self.check(url) {
            return UrlVerdict::Uncallable(why);
        }
        match (&self.ours, TunnelUrl::of(url)) {
            (Some(ours), Some(its)) if its == *ours => UrlVerdict::Ours,
            (Some(ours), Some(its)) if its.relay == ours.relay => UrlVerdict::OtherTunnel,
            _ => temporary(url).map_or(UrlVerdict::Unsuspected, UrlVerdict::Temporary),
        }
    }
}

/// Returns the path of a URL below its tunnel's key, if any part of the path can be a key.
pub(crate) fn path_below_key(url: &Url) -> Option<&str> {
    let mut rest = url.path().strip_prefix('/')?;
    loop {
        let (part, below) = rest.split_once('/').unwrap_or((rest, ""));
        if part.parse::<TunnelKey>().is_ok() {
            let above = url.path().len().checked_sub(rest.len())?;
            let below = url.path().get(above.checked_add(part.len())?..)?;
            return Some(if below.is_empty() { "/" } else { below });
        }
        if below.is_empty() {
            return None;
        }
        rest = below;
    }
}

/// A tunnel, as a URL identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TunnelUrl {
    relay: RelayUrl,
    key: TunnelKey,
}

/// A relay, as a URL identifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct RelayUrl {
    host: Host<String>,
    /// `None` for the two ports that Podio calls, because one relay has both.
    port: Option<u16>,
    /// The path above the key.
    above: Vec<String>,
}

impl TunnelUrl {
    /// Returns the tunnel of a URL, if any part of its path can be a tunnel's key.
    fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let mut above = Vec::new();
        for part in url.path_segments()? {
            if let Ok(key) = part.parse() {
                let relay = RelayUrl {
                    host: url.host()?.to_owned(),
                    port: url
                        .port_or_known_default()
                        .filter(|port| !matches!(port, 80 | 443)),
                    above,
                };
                return Some(Self { relay, key });
            }
            above.push(part.to_owned());
        }
        None
    }
}

/// Returns whether the API is on this machine: such a sandbox reaches this machine.
pub(super) fn is_this_machine(api: &str) -> bool {
    Url::parse(api).is_ok_and(|url| reach::is_this_machine(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://hooks.example.com/k3v2m2p7q4w6x5z6t3r2s2abca/";

    fn urls(api: &str, ours: Option<&str>) -> HookUrls {
        HookUrls::new(&api.parse().unwrap(), ours)
    }

    #[test]
    fn each_kind_of_url_has_its_verdict() {
        use UrlVerdict as V;
        let podio = urls("https://api.podio.com", Some(OURS));
        let this = |name: &str| V::Uncallable(Uncallable::ThisMachine(name.to_owned()));
        for (url, verdict) in [
            (OURS, V::Ours),
            (
                "https://hooks.example.com/k3v2m2p7q4w6x5z6t3r2s2abca/podio/hook?a=b",
                V::Ours,
            ),
            // A hook on port 80 leads to the same tunnel.
            (
                "http://HOOKS.example.com/k3v2m2p7q4w6x5z6t3r2s2abca/x",
                V::Ours,
            ),
            (
                "https://hooks.example.com/aaaaaaaaaaaaaaaaaaaaaaaaaa/podio/hook",
                V::OtherTunnel,
            ),
            // Another service may use the same host.
            ("https://hooks.example.com/shop/podio", V::Unsuspected),
            (
                "https://hooks.example.com/x/aaaaaaaaaaaaaaaaaaaaaaaaaa/",
                V::Unsuspected,
            ),
            (
                "https://other.example.com/aaaaaaaaaaaaaaaaaaaaaaaaaa/",
                V::Unsuspected,
            ),
            ("https://shop.example.com/podio", V::Unsuspected),
            ("http://localhost:3000/hook", this("localhost")),
            ("http://127.0.0.1/hook", this("127.0.0.1")),
            (
                "http://10.1.2.3/hook",
                V::Uncallable(Uncallable::PrivateAddress("10.1.2.3".parse().unwrap())),
            ),
            (
                "https://hooks.example.com:8443/k3v2m2p7q4w6x5z6t3r2s2abca/",
                V::Uncallable(Uncallable::Port(8_443)),
            ),
            (
                "gone",
                V::Uncallable(Uncallable::Malformed("gone".to_owned())),
            ),
            ("https://a1b2.ngrok-free.app/podio", V::Temporary("ngrok")),
            ("https://a1b2.eu.ngrok.io/podio", V::Temporary("ngrok")),
            ("https://calm-owl.loca.lt./", V::Temporary("localtunnel")),
            ("https://smee.io/AbC", V::Temporary("smee.io")),
            ("https://x.trycloudflare.com/", V::Temporary("cloudflared")),
            ("https://notsmee.io/AbC", V::Unsuspected),
        ] {
            assert_eq!(podio.verdict(url), verdict, "{url}");
        }
    }

    #[test]
    fn what_is_below_the_key_is_what_the_local_service_gets() {
        for (url, path) in [
            (OURS, Some("/")),
            ("https://a.example/k3v2m2p7q4w6x5z6t3r2s2abca", Some("/")),
            (
                "https://a.example/x/k3v2m2p7q4w6x5z6t3r2s2abca/podio/h%20k?a=b",
                Some("/podio/h%20k"),
            ),
            ("https://a.example/podio/hook", None),
            ("https://a.example/", None),
        ] {
            assert_eq!(path_below_key(&Url::parse(url).unwrap()), path, "{url}");
        }
    }

    #[test]
    fn without_a_tunnel_of_our_own_no_other_is_suspected() {
        let podio = urls("https://api.podio.com", None);
        assert_eq!(podio.verdict(OURS), UrlVerdict::Unsuspected);
        let odd = urls("https://api.podio.com", Some("https://hooks.example.com/"));
        assert_eq!(odd.verdict(OURS), UrlVerdict::Unsuspected);
    }

    #[test]
    fn a_stand_in_on_this_machine_reaches_it_by_any_port() {
        let ours = "http://127.0.0.1:8080/k3v2m2p7q4w6x5z6t3r2s2abca/";
        let near = urls("http://127.0.0.1:4001", Some(ours));
        assert_eq!(near.verdict(&format!("{ours}podio/hook")), UrlVerdict::Ours);
        for (url, verdict) in [
            (
                "http://127.0.0.1:8080/aaaaaaaaaaaaaaaaaaaaaaaaaa/",
                UrlVerdict::OtherTunnel,
            ),
            ("http://127.0.0.1:9/another", UrlVerdict::Unsuspected),
        ] {
            assert_eq!(near.verdict(url), verdict, "{url}");
        }
        assert!(near.verdict("gone").is_dead());
    }

    #[test]
    fn only_what_can_never_arrive_is_dead() {
        let podio = urls("https://api.podio.com", Some(OURS));
        for (url, is_dead) in [
            (OURS, false),
            (
                "https://hooks.example.com/aaaaaaaaaaaaaaaaaaaaaaaaaa/",
                true,
            ),
            ("http://localhost/", true),
            ("https://x.ngrok.app/", false),
            ("https://shop.example.com/", false),
        ] {
            assert_eq!(podio.verdict(url).is_dead(), is_dead, "{url}");
        }
    }
}
