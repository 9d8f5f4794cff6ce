//! Gives access to the tunnels of a relay, in two ways.

use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::{AskError, TunnelClient};
use podtap_relay::tunnel::{AgentConnection, TokenStore, TunnelInfo};
use podtap_wire::TunnelName;
use podtap_wire::manage::{ConnectedAgent, RotatedTunnel, TunnelEntry};

use crate::cli::RelayAddress;
use crate::commands::history::open_failure;
use crate::commands::link::LinkSetup;
use crate::commands::token::TokensPlace;
use crate::config::{Key, Settings};
use crate::failure::{Code, Failure};
use crate::output::printable;

/// A way to the tunnels of a relay.
pub(super) enum TunnelAccess {
    /// For an owner, through the relay.
    Owner {
        client: Box<TunnelClient>,
        link: Box<LinkSetup>,
    },
    /// For the operator of the relay, on its data folder or database.
    Operator {
        store: Box<TokenStore>,
        place: TokensPlace,
        owner: Option<String>,
    },
}

/// A tunnel, with its owner if the list is of several owners.
#[derive(Debug)]
pub(super) struct OwnedTunnel {
    pub(super) owner: Option<String>,
    pub(super) tunnel: TunnelEntry,
}

impl TunnelAccess {
    /// Chooses the way by the command line, and then by the settings.
    pub(super) async fn choose(at: &RelayAddress, settings: &Settings) -> Result<Self, Failure> {
        let ways = [Key::DATA_DIR, Key::DATABASE, Key::DATABASE_FILE];
        let is_operator = ways.into_iter().any(|key| settings.is_typed(key));
        let is_operator = is_operator && !settings.is_typed(Key::RELAY);
        if !is_operator && let Some(relay) = settings.relay()? {
            if at.owner.is_some() {
                return Err(Failure::usage(
                    "--owner needs --data-dir or --database: a token has one owner",
                ));
            }
            // A placeholder, since no tunnel is served.
            let name = TunnelName::nearest("tunnels").ok_or_else(|| Failure::usage("no name"))?;
            let link = LinkSetup::to(relay, name, settings)?;
            let client = TunnelClient::new(&link.config, &settings.trust()?).map_err(|error| {
                open_failure(&settings.data_dir().unwrap_or_default(), &error.into())
            })?;
            return Ok(Self::Owner {
                client: Box::new(client),
                link: Box::new(link),
            });
        }
        let place = TokensPlace::of(settings)?;
        if matches!(place, TokensPlace::Folder(_)) && settings.text(Key::DATA_DIR).is_none() {
            return Err(Failure::usage("which relay?").hint(
                "--relay URL with a token, or on the relay's machine --data-dir with its folder",
            ));
        }
        Ok(Self::Operator {
            store: Box::new(place.existing().await?),
            place,
            owner: at.owner.clone(),
        })
    }

    pub(super) async fn list(&self) -> Result<Vec<OwnedTunnel>, Failure> {
        match self {
            Self::Owner { client, link } => {
                let list = client
                    .list()
                    .await
                    .map_err(|error| failure_of(link, &error))?;
                let mine = list.into_iter().map(|tunnel| OwnedTunnel {
                    owner: None,
                    tunnel,
                });
                Ok(mine.collect())
            }
            Self::Operator { store, owner, .. } => {
                let list = store.tunnels(owner.as_deref()).await;
                let list = list.map_err(store_failure)?;
                let base = store.public_url().await.map_err(store_failure)?;
                let all = list
                    .into_iter()
                    .map(|info| with_owner(info, base.as_deref()));
                Ok(all.collect())
            }
        }
    }

    pub(super) async fn rotate(
        &self,
        name: &TunnelName,
        grace: Duration,
    ) -> Result<RotatedTunnel, Failure> {
        match self {
            Self::Owner { client, link } => {
                let rotated = client.rotate(name, grace).await;
                rotated.map_err(|error| failure_of(link, &error))
            }
            Self::Operator { store, .. } => {
                let owner = self.owner_of(name).await?;
                let base = store.public_url().await.map_err(store_failure)?;
                let rotated = store.rotate(&owner, name, grace).await;
                let rotated = rotated.map_err(store_failure)?;
                let rotated = rotated.ok_or_else(|| no_tunnel(name))?;
                Ok(RotatedTunnel {
                    url: url(base.as_deref(), &rotated.key.to_string()),
                    old_url_until: rotated.old_key_until,
                })
            }
        }
    }

    pub(super) async fn delete(&self, name: &TunnelName) -> Result<(), Failure> {
        match self {
            Self::Owner { client, link } => {
                let deleted = client.delete(name).await;
                deleted.map_err(|error| failure_of(link, &error))
            }
            Self::Operator { store, .. } => {
                let owner = self.owner_of(name).await?;
                let deleted = store.delete(&owner, name).await;
                if deleted.map_err(store_failure)? {
                    Ok(())
                } else {
                    Err(no_tunnel(name))
                }
            }
        }
    }

    /// Returns the owner of a tunnel. Fails if several owners have a tunnel of this name.
    async fn owner_of(&self, name: &TunnelName) -> Result<String, Failure> {
        let Self::Operator {
            store,
            place,
            owner,
        } = self
        else {
            return Err(no_tunnel(name));
        };
        let all = store.tunnels(owner.as_deref()).await;
        let all = all.map_err(store_failure)?;
        let mut owners: Vec<String> = all
            .into_iter()
            .filter(|info| info.name == *name)
            .map(|info| info.owner)
            .collect();
        match owners.len() {
            0 => Err(place.name(no_tunnel(name))),
            1 => Ok(owners.remove(0)),
            _ => Err(
                Failure::usage(format!("several owners have a tunnel {name}"))
                    .fact("owners", printable(&owners.join(", ")))
                    .hint("--owner NAME"),
            ),
        }
    }
}

fn with_owner(info: TunnelInfo, base: Option<&str>) -> OwnedTunnel {
    let connected = info.connected;
    let connected =
        connected.map(|AgentConnection { since, host, peer }| ConnectedAgent { since, host, peer });
    OwnedTunnel {
        owner: Some(info.owner),
        tunnel: TunnelEntry {
            url: url(base, &info.key.to_string()),
            name: info.name,
            old_url_until: info.old_key_until.map(to_the_second),
            created_at: info.created_at,
            waiting_events: info.backlog,
            waiting_bytes: info.backlog_bytes,
            oldest_waiting_at: info.oldest_waiting_at,
            last_event_at: info.last_event_at,
            refused: info.refused,
            connected,
        },
    }
}

fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// Returns a tunnel's URL; only its path if no relay has stored the public URL.
fn url(base: Option<&str>, key: &str) -> String {
    format!("{}/{key}/", base.unwrap_or_default().trim_end_matches('/'))
}

fn no_tunnel(name: &TunnelName) -> Failure {
    Failure::new(Code::NothingMatched, format!("there is no tunnel {name}"))
        .hint("`podtap tunnels list` shows them")
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn store_failure(error: podtap_relay::tunnel::TokenStoreError) -> Failure {
    Failure::because("the relay's tunnels cannot be read or changed", &error)
}

/// Explains a relay's error to the person.
fn failure_of(link: &LinkSetup, error: &AskError) -> Failure {
    let relay = link.config.relay.as_str();
    let failure = |code, what: &str| {
        Failure::new(code, what)
            .fact("relay", relay)
            .fact("why", printable(&error.to_string()))
    };
    match error {
        AskError::Token(_) => link.token_refused("the relay refused this token"),
        AskError::NoTunnel(message) => {
            Failure::new(Code::NothingMatched, printable(message)).fact("relay", relay)
        }
        AskError::Unreachable(_) => failure(Code::Unreachable, "the relay cannot be reached"),
        AskError::Refused(_) => failure(Code::Failed, "the relay refused the request"),
    }
}
