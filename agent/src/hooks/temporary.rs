//! Services whose tunnels mostly live for a session: a hook that leads there is perhaps forgotten.
//! Hooks of such tunnels are found left in apps (podio.md 7). Pure.

use url::{Host, Url};

/// Domains below which tunnels mostly live for a session, and whose they are.
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

/// The service of temporary tunnels that a URL is of.
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
