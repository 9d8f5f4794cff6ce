//! Recognizes services whose tunnels mostly live for a session: a hook that leads to one is perhaps
//! forgotten. Such hooks are found in apps (podio.md 7). Pure.

use url::{Host, Url};

/// Domains of tunnels that mostly live for a session, and their services.
const TEMPORARY: &[(&str, &str)] = &[
    ("ngrok.io", "ngrok"),
    ("ngrok.app", "ngrok"),
    ("ngrok.dev", "ngrok"),
    ("ngrok-free.app", "ngrok"),
    ("ngrok-free.dev", "ngrok"),
    ("loca.lt", "localtunnel"),
    ("localtunnel.me", "localtunnel"),
    ("smee.io", "smee.io"),
    ("trycloudflare.com", "cloudflared"),
    ("devtunnels.ms", "dev tunnels"),
    ("serveo.net", "Serveo"),
    ("lhr.life", "localhost.run"),
    ("localhost.run", "localhost.run"),
    ("pinggy.link", "Pinggy"),
    ("pinggy.online", "Pinggy"),
    ("tunnelto.dev", "tunnelto"),
    ("loclx.io", "LocalXpose"),
    ("sharedwithexpose.com", "Expose"),
    ("bore.pub", "bore"),
    ("share.zrok.io", "zrok"),
    ("webhook.site", "webhook.site"),
    ("requestbin.com", "RequestBin"),
];

/// Returns the service of temporary tunnels to which a URL belongs.
pub(super) fn temporary(url: &str) -> Option<&'static str> {
    let url = Url::parse(url).ok()?;
    let Some(Host::Domain(name)) = url.host() else {
        return None;
    };
    let name = name.trim_end_matches('.');
    let is_below = |domain: &str| {
        name.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let found = TEMPORARY.iter().find(|(domain, _)| is_below(domain));
    found.map(|(_, service)| *service)
}
