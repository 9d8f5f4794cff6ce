//! The JSON that says that a tunnel or a relay is ready.

use podtap_agent::routes::Routes;
use podtap_podio::hook_url::Uncallable;
use serde::Serialize;

/// What a long-running command prints once it is ready.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Ready<'a> {
    Listen {
        url: &'a str,
        forwards_to: Option<String>,
        /// Routes of events that do not go to `forwards_to`.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        routes: Vec<String>,
        tunnel: &'a str,
        /// The URL of the web page, with the token of this run.
        #[serde(skip_serializing_if = "Option::is_none")]
        web: Option<&'a str>,
        #[serde(flatten)]
        callable: Callable,
    },
    Relay {
        listen: String,
        http_listen: Option<String>,
        public_url: &'a str,
        admin: Option<String>,
        #[serde(flatten)]
        callable: Callable,
    },
}

impl<'a> Ready<'a> {
    /// Returns the object for a tunnel whose events go to `routes`.
    pub(crate) fn listen(
        url: &'a str,
        tunnel: &'a str,
        routes: &Routes,
        web: Option<&'a str>,
        callable: Callable,
    ) -> Self {
        Self::Listen {
            url,
            forwards_to: routes.rest().map(ToString::to_string),
            routes: routes.list().iter().map(ToString::to_string).collect(),
            tunnel,
            web,
            callable,
        }
    }
}

/// Whether Podio can call the URL.
#[derive(Debug, Serialize)]
pub(crate) struct Callable {
    podio_can_call: bool,
    /// Why Podio cannot, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

impl Callable {
    pub(crate) fn new(uncallable: Option<&Uncallable>) -> Self {
        Self {
            podio_can_call: uncallable.is_none(),
            why_not: uncallable.map(|why| format!("{why}; {}", why.cure())),
        }
    }
}
