//! Recognizes the variables that Kubernetes and Docker set in every
//! container for a service or a linked container. If its name is
//! `podtap`, they begin like Podtap's settings but are not settings.

/// The protocols of a linked port, as in the names of variables; in URLs they are in lower case.
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// Returns whether a variable describes a link: by its name alone, or by its name and value.
///
/// Kubernetes, for a service `NAME`: `NAME_SERVICE_HOST`, `NAME_SERVICE_PORT`,
/// `NAME_SERVICE_PORT_HTTP`. Both: `NAME_PORT=tcp://10.0.0.1:80`, `NAME_PORT_80_TCP`,
/// `NAME_PORT_80_TCP_ADDR` and so on. Docker: `NAME_NAME=/web/NAME`, `NAME_ENV_LANG`.
pub(super) fn is_link(name: &str, value: &str) -> bool {
    let is_url = PROTOCOLS.iter().any(|protocol| {
        let rest = value.strip_prefix(&protocol.to_lowercase());
        rest.is_some_and(|rest| rest.starts_with("://"))
    });
    is_url
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || name.contains("_ENV_")
        || (name.ends_with("_NAME") && value.starts_with('/'))
        || is_port(name)
}

/// Matches `…_PORT_80_TCP`, alone or followed by `_ADDR`, `_PORT` or `_PROTO`.
fn is_port(name: &str) -> bool {
    let mut parts = name.split("_PORT_").skip(1);
    parts.any(|part| {
        let mut words = part.split('_');
        let port = words.next().unwrap_or_default();
        let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        is_number && words.next().is_some_and(|word| PROTOCOLS.contains(&word))
    })
}
