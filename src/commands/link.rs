//! Sets up the link to the relay, and explains why a relay refuses it.

use podtap_agent::{HooksError, LinkConfig, RunError};
use podtap_wire::TunnelName;
use podtap_wire::limits::DEFAULT_WINDOW;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::config::{Key, Secret, Settings};
use crate::failure::{Code, Failure};
use crate::output::printable;

/// What to do if a relay requires a token.
pub(super) const HOW_TO_GET_A_TOKEN: &str = "set PODTAP_TOKEN or --token-file; the relay's operator \
    creates one with `podtap relay token create NAME`";

/// The configuration of the link, with what error messages need.
#[derive(Debug)]
pub(crate) struct LinkSetup {
    pub(crate) config: LinkConfig,
    token: TokenHint,
}

/// The part of a token that may be shown, and the token's origin.
#[derive(Debug)]
struct TokenHint {
    beginning: String,
    origin: String,
}

impl LinkSetup {
    /// Sets up the link to a relay with the token of the settings.
    pub(crate) fn to(relay: Url, tunnel: TunnelName, settings: &Settings) -> Result<Self, Failure> {
        let Some(Secret { value, origin }) = settings.token()? else {
            return Err(Failure::usage("the relay requires a token")
                .fact("relay", relay.to_string())
                .hint(HOW_TO_GET_A_TOKEN));
        };
        let mut config = LinkConfig::new(relay, value, tunnel);
        config.proxy = settings.proxy(&config.relay)?;
        Self::with(config, &origin.to_string(), settings)
    }

    /// Sets up a link from a configuration, with the settings that
    /// every link uses; `origin` is where its token comes from.
    pub(crate) fn with(
        mut config: LinkConfig,
        origin: &str,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        config.host = Some(gethostname::gethostname().to_string_lossy().into_owned());
        config.window = settings.number(Key::WINDOW)?.unwrap_or(DEFAULT_WINDOW);
        config.respond = settings.respond()?;
        let token = TokenHint {
            beginning: beginning(&config.token),
            origin: origin.to_owned(),
        };
        Ok(Self { config, token })
    }

    /// Returns the failure for a token that the relay refuses.
    pub(crate) fn token_refused(&self, what: &str) -> Failure {
        Failure::new(Code::Refused, what)
            .fact("relay", self.config.relay.as_str())
            .fact(
                "token",
                format!("{}  (from {})", self.token.beginning, self.token.origin),
            )
            .hint("ask the relay's operator for a new token (`podtap relay token create NAME`)")
    }

    /// Returns the failure that explains to the person why an agent ended.
    pub(crate) fn explain(&self, error: &RunError) -> Failure {
        let relay = self.config.relay.as_str();
        match error {
            RunError::TokenRefused { .. } => self.token_refused("the relay refused this token"),
            RunError::TokenRevoked => self.token_refused("the token was revoked"),
            RunError::TakenOver { holder } => {
                Failure::new(Code::TakenOver, printable(&holder.to_string()))
                    .fact("relay", relay)
                    .fact("tunnel", self.config.tunnel.to_string())
                    .hint(
                        "end that agent, give this one another --name, or take the tunnel with \
                         --take-over",
                    )
            }
            RunError::Hooks(error @ HooksError::Credentials(_)) => {
                Failure::because("no hook was created", error)
                    .code(Code::Refused)
                    .hint(
                        "check PODTAP_PODIO_CLIENT_ID, PODTAP_PODIO_CLIENT_SECRET and the app's token \
                         or the login;\nremove --on, or add --hooks-optional, to continue without hooks",
                    )
            }
            RunError::Hooks(error @ HooksError::Uncallable { source, .. }) => {
                Failure::because("no hook was created", error).hint(source.cure())
            }
            other => Failure::because("the agent ended", other).fact("relay", relay),
        }
    }
}

/// Returns `pt_` and the public id of a token. Of any other
/// text, which may be a mistyped secret, nothing is shown.
fn beginning(token: &SecretString) -> String {
    /// Length of `pt_` and the six characters that identify the token without revealing it.
    const PUBLIC: usize = 9;
    match token.expose_secret().get(..PUBLIC) {
        Some(public) if public.starts_with("pt_") => format!("{public}…"),
        _ => "…".to_owned(),
    }
}
