//! `podtap relay` and its tokens.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Relay {
    #[command(subcommand)]
    pub(crate) command: Option<RelayCommand>,
    #[command(flatten)]
    pub(crate) serve: RelayServe,
}

#[derive(Debug, Args)]
pub(crate) struct RelayServe {
    /// Where Podio's webhooks and the agents arrive [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// The URL under which the world reaches it [default: http:// and the listening address]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Where health and Prometheus metrics are served; `off` for nowhere [default: off]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<String>,
    /// The largest body accepted [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_body: Option<String>,
    /// The most events one tunnel may have waiting [default: see --help of the release]
    #[arg(long, value_name = "N")]
    pub(crate) max_queue_events: Option<String>,
    /// The most bytes one tunnel may have waiting
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_queue_bytes: Option<String>,
    /// Events that no agent took within this time are removed
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,
    /// Webhooks a second that one tunnel may receive [default: no limit]
    #[arg(long, value_name = "N")]
    pub(crate) max_rate: Option<String>,
    /// Connections open at once
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<String>,
    /// How long `--respond local` waits for the local service's answer [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) respond_timeout: Option<String>,
    /// Print what it listens on as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RelayCommand {
    /// Tokens that let agents in; takes effect at once, beside a running relay
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token for NAME and print it, once
    Create {
        /// Whose token: tunnels belong to the name, not to the token
        name: String,
    },
    /// List the tokens, without the secrets
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Revoke all tokens of NAME, or the one with this id
    Revoke {
        /// The owner's name or a token's id
        name: String,
    },
}
