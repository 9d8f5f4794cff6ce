//! `podtap sandbox`: the stand-in, its options, and the commands for a running one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use podtap_sandbox::Fault;

use crate::parse::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
Prints its made-up credentials, then a line for each API call and each webhook. Calls that it does \
not support answer 501 with the name of the operation.")]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SandboxSubcommand>,
    #[command(flatten)]
    pub(crate) serve: SandboxServe,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxSubcommand {
    /// Change something in a running sandbox, as a person would in Podio
    #[command(after_help = "\
Examples:
  podtap sandbox do item.update 3276908608 status=Paid
  podtap sandbox do item.create title='40 oak frames' 'amount=1280 EUR' due=2026-12-01
  podtap sandbox do comment.create value='Looks great'

For an item, use the names of its fields; an empty value clears a field. `podtap trigger --list` \
lists the event types.")]
    Do(SandboxAction),
    /// Drop the webhooks of a running sandbox, or send them again
    Outage {
        /// `on` drops webhooks, `off` sends them
        state: Switch,
        #[command(flatten)]
        at: SandboxAddress,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SandboxAction {
    /// Event type, such as item.update
    pub(crate) event: String,
    /// Id of the object [default: the first one], then names and values
    #[arg(value_name = "ID|NAME=VALUE")]
    pub(crate) words: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: SandboxAddress,
}

/// The sandbox that gets the command.
#[derive(Debug, Args)]
pub(crate) struct SandboxAddress {
    /// URL of the running sandbox [default: http://127.0.0.1:8090]
    #[arg(long, value_name = "URL")]
    pub(crate) podio_url: Option<String>,
}

/// A switch on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxServe {
    /// Address of the API [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Also accept this host name; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Start with the content of this JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Print an example for --seed, and exit
    #[arg(long)]
    pub(crate) print_seed: bool,
    /// Save the state to this file, and start from it if it exists
    ///
    /// Everything is saved, tokens too, except for the bytes of files.
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    pub(crate) state: Option<PathBuf>,
    /// Make changes by itself; RATE is the number per second, 1 if left out
    #[arg(long, value_name = "RATE", num_args = 0..=1, default_missing_value = "1", value_parser = pace)]
    pub(crate) life: Option<f64>,
    /// Make the same random choices at every start, tokens too
    #[arg(long, value_name = "N")]
    pub(crate) random_seed: Option<u64>,
    /// Print one JSON object per line: `ready`, then calls and webhooks
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) disorder: DisorderArgs,
}

/// Podio's rules that are optional or have variants.
#[derive(Debug, Args)]
#[command(next_help_heading = "Podio's rules")]
pub(crate) struct Rules {
    /// Refuse hooks on ports other than 80 and 443, as Podio does
    #[arg(long)]
    pub(crate) enforce_ports: bool,
    /// Require a token to validate a hook; whether Podio does is unknown
    #[arg(long)]
    pub(crate) validate_requires_auth: bool,
    /// Maximum calls per hour [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u64>,
    /// Maximum calls per hour of operations with a lower limit, such as item filters [default: 250]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit_filter: Option<u64>,
    /// Lifetime of access tokens [default: 8h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) token_lifetime: Option<Duration>,
    /// When to stop calling a hook
    #[arg(long, value_name = "RULE", default_value = "current")]
    pub(crate) rule: RuleName,
    /// Delays before a webhook is sent again, such as 5s,30s, or `off` [default: 5s,30s,120s]
    #[arg(long, value_name = "DURATIONS", value_parser = gaps)]
    pub(crate) resend: Option<Gaps>,
    /// Maximum wait for the answer to a webhook [default: 15s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) answer_limit: Option<Duration>,
}

/// The names of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleName {
    /// 15 failures in 15 minutes, or 200 in a week, as reported today
    Current,
    /// 50 failures in a row, as Podio said in 2013
    Consecutive,
}

/// Pauses between attempts.
#[derive(Debug, Clone)]
pub(crate) struct Gaps(pub(crate) Vec<Duration>);

/// Faults that sometimes happen at Podio.
#[derive(Debug, Args)]
#[command(next_help_heading = "What goes wrong")]
pub(crate) struct DisorderArgs {
    /// Send this share of the webhooks two to five times, from 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) duplicates: Option<f64>,
    /// Delay this share of the webhooks by up to 5 s, so that others overtake them
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) reordering: Option<f64>,
    /// Delay every webhook by up to this time
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) delay: Option<Duration>,
    /// Answer every call with this status, with a `truncated` body, or not at all (`hang`)
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Option<Fault>,
    /// Drop every webhook until `podtap sandbox outage off`
    #[arg(long)]
    pub(crate) outage: bool,
}

fn pace(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|rate| *rate > 0.0 && *rate <= 1_000.0)
        .ok_or("it must be above 0 and at most 1000 changes per second")
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or("it must be from 0 to 1, such as 0.2")
}

fn gaps(text: &str) -> Result<Gaps, &'static str> {
    if text == "off" {
        return Ok(Gaps(Vec::new()));
    }
    text.split(',')
        .map(duration)
        .collect::<Result<_, _>>()
        .map(Gaps)
}
