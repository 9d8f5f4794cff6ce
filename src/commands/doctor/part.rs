//! The links of the way from Podio to the local service, in the order
//! in which they are checked, and the link that each of them needs.

use std::time::Duration;

/// A link to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Settings,
    Folder,
    Dns,
    Proxy,
    Tcp,
    Tls,
    Relay,
    Clock,
    Token,
    Websocket,
    Tunnel,
    Service,
    Podio,
    Hooks,
    LastEvent,
}

impl Part {
    /// All links, in order.
    pub(crate) const ALL: [Self; 15] = [
        Self::Settings,
        Self::Folder,
        Self::Dns,
        Self::Proxy,
        Self::Tcp,
        Self::Tls,
        Self::Relay,
        Self::Clock,
        Self::Token,
        Self::Websocket,
        Self::Tunnel,
        Self::Service,
        Self::Podio,
        Self::Hooks,
        Self::LastEvent,
    ];

    /// Returns the name for people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Folder => "data folder",
            Self::Dns => "relay's name",
            Self::Proxy => "proxy",
            Self::Tcp => "connection",
            Self::Tls => "TLS",
            Self::Relay => "relay",
            Self::Clock => "clock",
            Self::Token => "token",
            Self::Websocket => "websocket",
            Self::Tunnel => "tunnel",
            Self::Service => "local service",
            Self::Podio => "Podio's API",
            Self::Hooks => "hooks",
            Self::LastEvent => "last event",
        }
    }

    /// Returns the name as used in a sentence.
    pub(crate) fn with_article(self) -> String {
        match self {
            Self::Podio | Self::Tls => self.name().to_owned(),
            _ => format!("the {}", self.name()),
        }
    }

    /// Returns the name for programs.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Folder => "data-folder",
            Self::Dns => "dns",
            Self::Proxy => "proxy",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Relay => "relay",
            Self::Clock => "clock",
            Self::Token => "token",
            Self::Websocket => "websocket",
            Self::Tunnel => "tunnel",
            Self::Service => "service",
            Self::Podio => "podio",
            Self::Hooks => "hooks",
            Self::LastEvent => "last-event",
        }
    }

    /// Returns the link that must work before this one can be checked.
    pub(crate) const fn needs(self) -> Option<Self> {
        match self {
            Self::Settings | Self::Folder | Self::Dns | Self::Service | Self::Podio => None,
            Self::Proxy => Some(Self::Dns),
            Self::Tcp => Some(Self::Proxy),
            Self::Tls => Some(Self::Tcp),
            Self::Relay => Some(Self::Tls),
            Self::Clock | Self::Token => Some(Self::Relay),
            Self::Websocket | Self::Tunnel => Some(Self::Token),
            Self::Hooks => Some(Self::Podio),
            Self::LastEvent => Some(Self::Folder),
        }
    }

    /// Returns the maximum time for checking this link.
    pub(crate) const fn limit(self) -> Duration {
        match self {
            // Includes a silent period on purpose.
            Self::Websocket => Duration::from_secs(12),
            // Makes several calls of the API.
            Self::Hooks => Duration::from_secs(8),
            _ => Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_comes_after_the_one_that_it_needs() {
        let place = |part| Part::ALL.iter().position(|other| *other == part);
        for part in Part::ALL {
            if let Some(need) = part.needs() {
                assert!(place(need) < place(part), "{part:?}");
            }
        }
    }
}
