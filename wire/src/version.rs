//! Defines the protocol's name, and selects a version that both sides know.

/// The websocket subprotocol of this version of the protocol.
pub const SUBPROTOCOL: &str = "podtap.v1";

/// Every subprotocol of this build, the preferred one first.
pub const SUPPORTED: &[&str] = &[SUBPROTOCOL];

/// Returns the first supported subprotocol of a `Sec-WebSocket-Protocol` header.
///
/// # Errors
/// If none of the offered ones is supported. The error contains both sides' versions.
pub fn choose(offered: &str) -> Result<&'static str, UnsupportedVersion> {
    let mut names = offered.split(',').map(str::trim);
    SUPPORTED
        .iter()
        .copied()
        .find(|known| names.clone().any(|name| name == *known))
        .ok_or_else(|| UnsupportedVersion {
            offered: names
                .by_ref()
                .filter(|name| !name.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// The other side offers no supported version of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the agent offers {}, this relay speaks {}",
    if offered.is_empty() { "no protocol version" } else { offered },
    SUPPORTED.join(", ")
)]
pub struct UnsupportedVersion {
    offered: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_version_is_found_among_others() {
        assert_eq!(choose("podtap.v9, podtap.v1"), Ok(SUBPROTOCOL));
    }

    #[test]
    fn a_refusal_names_what_was_offered_and_what_would_do() {
        let refusal = choose("podtap.v9").unwrap_err().to_string();
        assert!(
            refusal.contains("podtap.v9") && refusal.contains(SUBPROTOCOL),
            "{refusal}"
        );
        assert!(
            choose("")
                .unwrap_err()
                .to_string()
                .contains("no protocol version")
        );
    }
}
