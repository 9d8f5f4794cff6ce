//! `podtap sandbox`: the stand-in, its knobs, and what a running one is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use podtap_sandbox::Fault;

use crate::config::duration;

#[derive(Debug, Args)]
#[command(after_help = "\
Prints the invented credentials that it takes, then a line for each call of its API and each webhook \
that it sends. What it does not have answers 501 with its name.")]
pub(crate) struct Sandbox {
    #[command(subcommand)]
    pub(crate) command: Option<SandboxCommand>,
    #[command(flatten)]
    pub(crate) serve: SandboxServe,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Make something happen in a running sandbox, as if on Podio's pages
    #[command(after_help = "\
Examples:
  podtap sandbox do item.update 3276908608 status=Paid
  podtap sandbox do item.create title='40 oak frames' 'amount=1280 EUR' due=2026-12-01
  podtap sandbox do comment.create value='Looks great'

Of an item the names are those of its fields; an empty value empties one. `podtap trigger --list` \
lists the event types.")]
    Do(Deed),
    /// Lose the webhooks of a running sandbox on their way, or let them out again
    Outage {
        /// Whether they are lost
        state: Switch,
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Deed {
    /// Podio's event type, such as item.update
    pub(crate) event: String,
    /// The id of what it happens to [default: the first there is], then names and values
    #[arg(value_name = "ID|NAME=VALUE")]
    pub(crate) words: Vec<String>,
    /// Print what came of it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: At,
}

/// Which sandbox is meant.
#[derive(Debug, Args)]
pub(crate) struct At {
    /// The running sandbox [default: http://127.0.0.1:8090]
    #[arg(long, value_name = "URL")]
    pub(crate) podio_url: Option<String>,
}

/// A switch as people say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxServe {
    /// Where the API listens [default: 127.0.0.1:8090]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// A name that it answers to, beside localhost and its own address; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// What exists at the start, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Print the example that --seed takes, and end
    #[arg(long)]
    pub(crate) print_seed: bool,
    /// Keep the world in this file, and begin with it where it is there
    ///
    /// All but the bytes of files is kept, tokens too.
    #[arg(long, value_name = "FILE", conflicts_with = "seed")]
    pub(crate) state: Option<PathBuf>,
    /// Let things happen by themselves: changes per second
    #[arg(long, value_name = "RATE", num_args = 0..=1, default_missing_value = "1", value_parser = pace)]
    pub(crate) life: Option<f64>,
    /// Make the same choices by chance at every start, tokens too
    #[arg(long, value_name = "N")]
    pub(crate) random_seed: Option<u64>,
    /// Print JSON lines: `ready`, then calls and webhooks
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) disorder: Disorder,
}

/// Podio's rules, where they can be had otherwise.
#[derive(Debug, Args)]
#[command(next_help_heading = "Podio's rules")]
pub(crate) struct Rules {
    /// Refuse hooks on ports other than 80 and 443, as Podio does
    #[arg(long)]
    pub(crate) enforce_ports: bool,
    /// Demand a token for the validation of a hook; whether Podio does is not settled
    #[arg(long)]
    pub(crate) validate_requires_auth: bool,
    /// Calls an hour [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit: Option<u64>,
    /// Calls an hour of operations that Podio limits more, such as filters of items [default: 250]
    #[arg(long, value_name = "N")]
    pub(crate) rate_limit_filter: Option<u64>,
    /// How long access tokens last [default: 8h]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) token_lifetime: Option<Duration>,
    /// When hooks are no longer called: 15 failures in 15 minutes and 200 in a week, or 50 in a row
    #[arg(long, value_name = "RULE", default_value = "current")]
    pub(crate) rule: RuleName,
    /// Waits before a webhook is sent again, such as 5s,30s; `off` for never [default: 5s,30s,120s]
    #[arg(long, value_name = "DURATIONS", value_parser = gaps)]
    pub(crate) resend: Option<Gaps>,
    /// Longest wait for the answer to a webhook [default: 15s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) answer_limit: Option<Duration>,
}

/// The rules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RuleName {
    /// What is reported of today
    Current,
    /// What Podio said in 2013
    Consecutive,
}

/// Waits between attempts.
#[derive(Debug, Clone)]
pub(crate) struct Gaps(pub(crate) Vec<Duration>);

/// What goes wrong at Podio now and then.
#[derive(Debug, Args)]
#[command(next_help_heading = "What goes wrong")]
pub(crate) struct Disorder {
    /// Send this share of the webhooks two to five times, from 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) duplicates: Option<f64>,
    /// Let others overtake this share of the webhooks, by up to 5 s
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) reordering: Option<f64>,
    /// Send every webhook late, by up to this much
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) delay: Option<Duration>,
    /// Answer every call with this status, or `truncated`, or not at all: `hang`
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Option<Fault>,
    /// Lose every webhook, until `podtap sandbox outage off`
    #[arg(long)]
    pub(crate) outage: bool,
}

fn pace(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|rate| *rate > 0.0 && *rate <= 1_000.0)
        .ok_or("above 0 and at most 1000 changes a second")
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or("a share is from 0 to 1, such as 0.2")
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
