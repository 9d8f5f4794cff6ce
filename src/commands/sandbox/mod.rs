//! `podtap sandbox`: runs a local stand-in for Podio's API that sends real webhooks.

mod control;
mod log;
mod ready;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use podtap_connect::reason::chain;
use podtap_podio::standing::Rule;
use podtap_sandbox::life::{self, LifePace};
use podtap_sandbox::{CallRates, Disorder, Sandbox as Server, SandboxConfig, Seed, WebhookSending};

use crate::cli::{RuleName, SandboxArgs, SandboxServe, SandboxSubcommand};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::print;
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// Default address of the sandbox.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

/// Runs a sandbox, or sends a command to a running one.
pub(crate) async fn run(sandbox: SandboxArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    match sandbox.command {
        None => serve(sandbox.serve, settings).await,
        Some(SandboxSubcommand::Do(deed)) => control::act(&deed, settings).await,
        Some(SandboxSubcommand::Outage { state, .. }) => control::outage(state, settings).await,
    }
}

/// Serves until a signal; with `--life`, changes happen by themselves.
async fn serve(serve: SandboxServe, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let config = config(&serve, settings)?;
    let (seed, random_seed) = (config.seed.clone(), config.random_seed);
    let bound = Server::bind(config)
        .await
        .map_err(|error| Failure::because("the sandbox cannot start", &error))?;
    let handle = bound.handle();
    let kept = serve.state.map(state::StateFile::at);
    if let Some(kept) = &kept {
        kept.restore(&handle)?;
    }
    let watching = handle.subscribe();
    ready::announce(&bound.base_url(), &seed, serve.life.is_some(), serve.json)?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    tasks.start(log::run(
        watching,
        settings.line_style()?,
        serve.json,
        tasks.token(),
    ));
    if let Some(kept) = kept {
        tasks.start(kept.keep(handle.clone(), tasks.token()));
    }
    let token = tasks.token();
    tasks.start(async move {
        bound.run(token).await;
        Ok(())
    });
    if let Some(per_second) = serve.life {
        let token = tasks.token();
        let pace = LifePace {
            per_second,
            random_seed,
        };
        tasks.start(async move {
            life::run(handle, pace, token).await;
            Ok(())
        });
    }
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

fn config(serve: &SandboxServe, settings: &Settings) -> Result<SandboxConfig, Failure> {
    let defaults = SandboxConfig::default();
    let (rules, disorder) = (&serve.rules, &serve.disorder);
    let random_seed = match serve.random_seed {
        Some(seed) => seed,
        // The seed must be random, since the tokens can be computed from it.
        None => getrandom::u64().map_err(|error| {
            Failure::because("cannot get random numbers from the system", &error)
        })?,
    };
    Ok(SandboxConfig {
        listen: settings.listen()?.unwrap_or(DEFAULT_LISTEN),
        hosts: serve.allow_host.clone(),
        seed: seed(serve)?,
        random_seed,
        token_lifetime: rules.token_lifetime.unwrap_or(defaults.token_lifetime),
        rates: CallRates {
            general: rules.rate_limit.unwrap_or(defaults.rates.general),
            limited: rules.rate_limit_filter.unwrap_or(defaults.rates.limited),
            ..defaults.rates
        },
        enforce_ports: rules.enforce_ports,
        validate_requires_auth: rules.validate_requires_auth,
        rule: match rules.rule {
            RuleName::Current => Rule::CURRENT,
            RuleName::Consecutive => Rule::OLD,
        },
        delivery: WebhookSending {
            timeout: rules.answer_limit.unwrap_or(defaults.delivery.timeout),
            retry_gaps: match &rules.resend {
                Some(gaps) => gaps.0.clone(),
                None => defaults.delivery.retry_gaps.clone(),
            },
            disorder: Disorder {
                duplicates: disorder.duplicates.unwrap_or(0.0),
                reordering: disorder.reordering.unwrap_or(0.0),
                delay: disorder.delay.unwrap_or_default(),
            },
            outage: disorder.outage,
            ..defaults.delivery
        },
        fault: disorder.fault,
        ..defaults
    })
}

/// Maximum size of a seed file, in bytes.
const MAX_SEED: u64 = 64 * 1024 * 1024;

fn seed(serve: &SandboxServe) -> Result<Seed, Failure> {
    let Some(path) = &serve.seed else {
        return Ok(Seed::example());
    };
    let wrong = |why: String| {
        Failure::usage("the seed cannot be read")
            .fact("file", path.display().to_string())
            .fact("why", why)
            .hint("`podtap sandbox --print-seed` prints an example")
    };
    let text = crate::file::read(path, MAX_SEED).map_err(|error| wrong(error.to_string()))?;
    Seed::from_json(&text).map_err(|error| wrong(chain(&error)))
}

/// Prints an example of the file for `--seed`.
pub(crate) fn print_seed() -> Result<ExitCode, Failure> {
    print(Seed::EXAMPLE.trim_end())?;
    Ok(ExitCode::SUCCESS)
}
