//! `podtap tunnels list|rotate|delete`: by an owner through the relay, or by whoever runs the relay
//! on its data folder. Both ways see the same tunnels and say the same.

mod access;
mod shown;

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use podtap_wire::TunnelName;
use podtap_wire::manage::MAX_GRACE_S;

use crate::cli::TunnelsCommand;
use crate::config::{Settings, duration};
use crate::failure::{Code, Failure};
use crate::output::{note, print, printable};
use access::Access;

/// Runs one of them.
pub(crate) async fn run(command: TunnelsCommand, settings: &Settings) -> Result<ExitCode, Failure> {
    // What is wrong in the command itself is told first.
    match command {
        TunnelsCommand::List { at, json } => {
            let access = Access::choose(&at, settings)?;
            let tunnels = access.list().await?;
            let lines = if json {
                tunnels.iter().map(shown::object).collect()
            } else {
                shown::table(&tunnels)
            };
            lines.iter().try_for_each(print)?;
            if tunnels.is_empty() && !json {
                note("There are no tunnels yet; `podtap listen` makes one.");
            }
        }
        TunnelsCommand::Rotate {
            name,
            grace,
            at,
            json,
        } => {
            let (name, grace) = (parsed(&name)?, grace_of(grace.as_deref())?);
            let access = Access::choose(&at, settings)?;
            let rotated = access.rotate(&name, grace).await?;
            if json {
                print(&shown::rotated(&name, &rotated))?;
            } else {
                print(&rotated.url)?;
                match rotated.old_url_until {
                    Some(until) => note(&format!("The old URL works until {until:.0}.")),
                    None => note("The old URL works no more."),
                }
            }
        }
        TunnelsCommand::Delete { name, yes, at } => {
            let name = parsed(&name)?;
            let access = Access::choose(&at, settings)?;
            if !yes && !confirmed(&name)? {
                return Err(Failure::new(Code::Failed, "the tunnel stays"));
            }
            access.delete(&name).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn parsed(name: &str) -> Result<TunnelName, Failure> {
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

/// Asks the person; where nobody can answer, --yes has to be given.
fn confirmed(name: &TunnelName) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(
            Failure::usage(format!("deleting the tunnel {name} takes what waits in it"))
                .hint("--yes"),
        );
    }
    let mut stderr = std::io::stderr().lock();
    write!(
        stderr,
        "Delete the tunnel {name} with what waits in it? Its URL ends. [y/N] "
    )?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
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
