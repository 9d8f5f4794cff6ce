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
    /// Take this proxy's word for the sender's address; may be given several times
    ///
    /// The rightmost address of `X-Forwarded-For` that is not a trusted proxy's is the sender. `off`
    /// trusts none [default: this machine where the public URL is https, else off]
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// Methods of webhooks to take, such as POST; may be given several times [default: any]
    #[arg(long, value_name = "METHOD")]
    pub(crate) methods: Vec<String>,
    /// The largest body accepted [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_body: Option<String>,
    /// The most events one tunnel may have waiting [default: 100000]
    #[arg(long, value_name = "N")]
    pub(crate) max_queue_events: Option<String>,
    /// The most bytes one tunnel may have waiting [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_queue_bytes: Option<String>,
    /// Events that no agent took within this time are removed [default: 7d]
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,
    /// Webhooks per second that one tunnel may receive, after a burst of a minute's worth; `off`
    /// for no limit [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_rate: Option<String>,
    /// Requests per second that one address may send, after a burst of a minute's worth; `off` for
    /// no limit [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) max_rate_per_address: Option<String>,
    /// Memory for bodies that are being received; a tunnel may hold an eighth [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_body_memory: Option<String>,
    /// Bytes per second that a body must bring after 2 s; `off` for no limit [default: 16KiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) min_body_rate: Option<String>,
    /// The largest head of a request, 8KiB or more [default: 16KiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_head: Option<String>,
    /// Memory for the heads of requests that are being received [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_head_memory: Option<String>,
    /// Time for the first head on a connection [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) head_timeout: Option<String>,
    /// Time for a body [default: 30s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) body_timeout: Option<String>,
    /// Time that a connection may stay open between requests [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) idle_timeout: Option<String>,
    /// Connections of senders open at once; one more replaces the longest idle [default: 16384]
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<String>,
    /// Connections of one address, or of one IPv6 network of 64 bits [default: 1024]
    #[arg(long, value_name = "N")]
    pub(crate) max_connections_per_address: Option<String>,
    /// Agents connected at once, beside the connections of senders [default: 4096]
    #[arg(long, value_name = "N")]
    pub(crate) max_sessions: Option<String>,
    /// How long `--respond local` waits for the local service's answer [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) respond_timeout: Option<String>,
    /// Largest answer of a local service passed on under --respond local [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_response: Option<String>,
    #[command(flatten)]
    pub(crate) owners: OwnerLimits,
    /// Print what it listens on as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What one owner of tokens may have, so that none uses up what others need.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits for each owner")]
pub(crate) struct OwnerLimits {
    /// Maximum number of tunnels per owner [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_owner_tunnels: Option<String>,
    /// Maximum number of connected agents per owner [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_owner_sessions: Option<String>,
    /// Maximum number of queued events per owner [default: 400000]
    #[arg(long, value_name = "N")]
    pub(crate) max_owner_queue_events: Option<String>,
    /// Maximum bytes of queued events per owner [default: 4GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_owner_queue_bytes: Option<String>,
    /// Memory for events and answers on their way, of all owners; one gets a quarter [default: 96MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_session_memory: Option<String>,
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
    #[command(after_help = "\
The tunnels of an owner without a token go on storing webhooks until --max-age of the relay is over, \
so that a token can be replaced. With --with-tunnels their URLs answer 404 at once.")]
    Revoke {
        /// The owner's name, or a token's id as `token list` shows it
        name: String,
        /// Delete the owner's tunnels too, with what waits in them
        #[arg(long)]
        with_tunnels: bool,
    },
}
