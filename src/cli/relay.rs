//! `podtap relay` and its tokens.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct RelayArgs {
    #[command(subcommand)]
    pub(crate) command: Option<RelayCommand>,
    /// Share this PostgreSQL database with other relays, in place of the data folder
    ///
    /// Such as postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full. Prefer PODTAP_DATABASE
    /// or --database-file for a URL with a password, which `ps` does not show
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub(crate) database: Option<String>,
    /// Read the URL of the database from a file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) database_file: Option<String>,
    #[command(flatten)]
    pub(crate) serve: RelayServe,
}

#[derive(Debug, Args)]
pub(crate) struct RelayServe {
    /// Address for webhooks and agents [default: 127.0.0.1:8080]
    ///
    /// With --tls, the default is port 443 of all addresses of this machine
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Public URL of the relay [default: http:// and the listening address]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Address for health checks and Prometheus metrics, or `off` [default: off]
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin_listen: Option<String>,
    /// Trust this proxy's X-Forwarded-For; repeatable
    ///
    /// The sender is the rightmost address in `X-Forwarded-For` that does not belong to a trusted
    /// proxy. `off` trusts no proxy [default: this machine if the public URL is https, else off]
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// Expect the PROXY protocol, version 1 or 2, on every connection from a trusted proxy
    #[arg(long)]
    pub(crate) proxy_protocol: bool,
    /// Accept only these methods, such as POST; repeatable [default: any]
    #[arg(long, value_name = "METHOD")]
    pub(crate) methods: Vec<String>,
    /// Maximum size of a body [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_body: Option<String>,
    /// Maximum number of queued events per tunnel [default: 100000]
    #[arg(long, value_name = "N")]
    pub(crate) max_queue_events: Option<String>,
    /// Maximum bytes of queued events per tunnel [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_queue_bytes: Option<String>,
    /// Remove events that no agent has taken within this time [default: 7d]
    #[arg(long, value_name = "DURATION")]
    pub(crate) max_age: Option<String>,
    /// Maximum webhooks per second per tunnel, after a burst of one minute's worth, or `off`
    /// [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) max_rate: Option<String>,
    /// Maximum requests per second per sender's address, after a burst of one minute's worth, or
    /// `off` [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) max_rate_per_address: Option<String>,
    /// Maximum memory for bodies being received; one tunnel gets an eighth [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_body_memory: Option<String>,
    /// Minimum bytes per second of a body after 2 s, or `off` [default: 16KiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) min_body_rate: Option<String>,
    /// Maximum size of a request's head, at least 8KiB [default: 16KiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_head: Option<String>,
    /// Maximum memory for heads being received [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_head_memory: Option<String>,
    /// Maximum time for the first head on a connection [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) head_timeout: Option<String>,
    /// Maximum time for a body [default: 30s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) body_timeout: Option<String>,
    /// Maximum time between two requests on a connection [default: 60s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) idle_timeout: Option<String>,
    /// Maximum connections of senders; a new one replaces the longest idle [default: 16384]
    #[arg(long, value_name = "N")]
    pub(crate) max_connections: Option<String>,
    /// Maximum connections per address, or per /64 network for IPv6 [default: 1024]
    #[arg(long, value_name = "N")]
    pub(crate) max_connections_per_address: Option<String>,
    /// Maximum number of connected agents [default: 4096]
    #[arg(long, value_name = "N")]
    pub(crate) max_sessions: Option<String>,
    /// Maximum wait for the local service's answer with `--respond local` [default: 10s]
    #[arg(long, value_name = "DURATION")]
    pub(crate) respond_timeout: Option<String>,
    /// Maximum size of the local service's answer with --respond local [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_response: Option<String>,
    /// Print the addresses it listens on as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tls: TlsFlags,
    #[command(flatten)]
    pub(crate) owners: OwnerLimits,
}

/// The certificate of a relay without a proxy in front of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsFlags {
    /// Serve https with a certificate from `files`, or ordered by `acme`, or `off` [default: off]
    #[arg(long, value_name = "SOURCE")]
    pub(crate) tls: Option<String>,
    /// PEM file of the certificate chain, the relay's own certificate first
    ///
    /// Both files are read again when they change, and on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<String>,
    /// PEM file of the certificate's private key
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,
    /// Domain to order a certificate for with `--tls acme`; repeatable
    ///
    /// Port 443 of the domain must reach the relay. By using it you accept the authority's terms
    #[arg(long, value_name = "NAME")]
    pub(crate) acme_domain: Vec<String>,
    /// Mail address for the certificate authority; repeatable
    #[arg(long, value_name = "MAIL")]
    pub(crate) acme_contact: Vec<String>,
    // No doc comment: rustdoc would ask for a link, and a terminal shows none.
    #[arg(
        long,
        value_name = "URL",
        help = "URL of the ACME directory [default: https://acme-v02.api.letsencrypt.org/directory]"
    )]
    pub(crate) acme_directory: Option<String>,
    /// PEM file of authorities to trust for the ACME directory, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) acme_ca: Option<String>,
    // No doc comment: rustdoc would ask for a link, and a terminal shows none.
    #[arg(
        long,
        value_name = "ADDR",
        help = "Also accept webhooks, but not agents, over plain http at this address, such as \
                [::]:80 [default: off]"
    )]
    pub(crate) http_listen: Option<String>,
}

/// Limits per owner of tokens, so that none uses up the resources of others.
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
    /// Maximum bytes of queued events of all owners; one owner gets at most as much as is left for the
    /// others; off for no limit [default: 16GiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_total_queue_bytes: Option<String>,
    /// Maximum memory for events and answers in transit; one owner gets a quarter [default: 96MiB]
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_session_memory: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RelayCommand {
    /// Create, list and revoke tokens for agents; works beside a running relay
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token for an owner and print it; it is never shown again
    Create {
        /// Name of the owner; tunnels belong to the owner, not to the token
        name: String,
    },
    /// List the tokens without their secrets
    List {
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// Revoke all tokens of an owner, or one token by its id
    #[command(after_help = "\
Tunnels of an owner without a token continue to store webhooks until the relay's --max-age, so that \
you can replace a token. With --with-tunnels, their URLs answer 404 immediately.")]
    Revoke {
        /// Name of the owner, or id of a token as shown by `token list`
        name: String,
        /// Also delete the owner's tunnels and their queued events
        #[arg(long)]
        with_tunnels: bool,
    },
}
