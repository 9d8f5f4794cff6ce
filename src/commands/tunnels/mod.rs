//! `podtap tunnels list|rotate|delete`: for an owner through the relay, or for the relay's
//! operator on its data folder. Both ways see the same tunnels and print the same.

mod access;
mod format;

use std::process::ExitCode;
use std::time::Duration;

use podtap_wire::TunnelName;
use podtap_wire::manage::MAX_GRACE_S;

use crate::cli::TunnelsCommand;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::question::ask;
use crate::output::{note, print, printable};
use crate::parse::duration;
use access::TunnelAccess;

/// Runs a subcommand of `tunnels`.
pub(crate) async fn run(command: TunnelsCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    // Errors in the command line are reported first.
    match command {
        TunnelsCommand::List { at, json } => {
            let access = TunnelAccess::choose(&at, settings).await?;
            let tunnels = access.list().await?;
            let lines = if json {
                tunnels.iter().map(format::object).collect()
            } else {
                format::table(&tunnels)
            };
            lines.iter().try_for_each(print)?;
            if tunnels.is_empty() && !json {
                note("There are no tunnels yet; `podtap listen` creates one.");
            }
        }
        TunnelsCommand::Rotate {
            name,
            grace,
            at,
            json,
        } => {
            let (name, grace) = (parse_name(&name)?, grace_of(grace.as_deref())?);
            let access = TunnelAccess::choose(&at, settings).await?;
            let rotated = access.rotate(&name, grace).await?;
            if json {
                print(&format::rotated_json(&name, &rotated))?;
            } else {
                print(&rotated.url)?;
                match rotated.old_url_until {
                    Some(until) => note(&format!("The old URL works until {until:.0}.")),
                    None => note("The old URL no longer works."),
                }
            }
        }
        TunnelsCommand::Delete { name, yes, at } => {
            let name = parse_name(&name)?;
            let access = TunnelAccess::choose(&at, settings).await?;
            if !yes && !confirm(&name)? {
                return Err(Failure::new(Code::Failed, "the tunnel was not deleted"));
            }
            access.delete(&name).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn parse_name(name: &str) -> Result<TunnelName, Failure> {
    name.parse().map_err(|error: podtap_wire::InvalidId| {
        Failure::usage(error.to_string()).fact("name", printable(name))
    })
}

fn grace_of(text: Option<&str>) -> Result<Duration, Failure> {
    let Some(text) = text else {
        return Ok(Duration::ZERO);
    };
    let wrong = |expected: &str| {
        Failure::usage(format!("--grace cannot be `{}`", printable(text)))
            .fact("why", format!("it should be {expected}"))
    };
    let grace = duration(text).map_err(wrong)?;
    if grace.as_secs() == 0 || grace > Duration::from_secs(MAX_GRACE_S) {
        return Err(wrong("between 1s and 30d"));
    }
    Ok(grace)
}

/// Asks for confirmation; without a terminal, --yes is required.
fn confirm(name: &TunnelName) -> Result<bool, Failure> {
    let question =
        format!("Delete the tunnel {name} and its queued events? Its URL stops working.");
    ask(&question)?.ok_or_else(|| {
        Failure::usage(format!("deleting the tunnel {name} needs a confirmation")).hint("add --yes")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_grace_is_at_least_a_second_and_at_most_a_month() {
        assert_eq!(grace_of(None).unwrap(), Duration::ZERO);
        assert_eq!(grace_of(Some("2h")).unwrap(), Duration::from_hours(2));
        for bad in ["", "0s", "10ms", "31d", "soon", "-1h"] {
            let error = grace_of(Some(bad)).unwrap_err().to_string();
            assert!(error.contains("--grace"), "{error}");
        }
    }
}
