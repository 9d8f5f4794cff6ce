//! Checks the targets of a tunnel before anything starts.

use podtap_agent::routes::Routes;
use podtap_agent::{CommandError, Target, find_command};
use podtap_wire::Respond;

use crate::config::{Key, Settings};
use crate::failure::{Failure, Warning};
use crate::output::printable;

/// Checks that events can be delivered to all targets. There may be none.
pub(super) async fn check_targets(routes: &Routes, settings: &Settings) -> Result<(), Failure> {
    check_addresses(routes, settings)?;
    check_commands(routes).await
}

/// Checks the addresses of the targets.
fn check_addresses(routes: &Routes, settings: &Settings) -> Result<(), Failure> {
    let far = routes.targets().iter().filter(|target| !target.is_near());
    for target in far {
        let what = format!("webhooks go to {target}, which is another machine");
        settings.report(Warning::new(what).hint(
            "for a service on this machine, use its port: podtap listen \
                 3000",
        ))?;
    }
    if settings.switch(Key::INSECURE_LOCAL, false)? {
        let is_elsewhere = |target: &&Target| {
            let is_https = target.url().is_some_and(|url| url.scheme() == "https");
            is_https && !target.is_loopback()
        };
        for target in routes.targets().iter().filter(is_elsewhere) {
            // The name may still lead to this machine; each delivery checks that.
            let what =
                format!("with insecure-local, {target} is refused unless it is on this machine");
            let cure = "remove insecure-local; --ca-file FILE trusts a certificate anywhere";
            settings.report(Warning::new(what).hint(cure))?;
        }
    }
    if routes.targets().is_empty() && settings.respond()? == Respond::Local {
        return Err(Failure::usage("--respond local needs a local service")
            .hint("add it: podtap listen 3000 --respond local"));
    }
    Ok(())
}

/// Checks that the program of each command exists.
async fn check_commands(routes: &Routes) -> Result<(), Failure> {
    let commands = routes.targets().iter().filter_map(Target::command);
    for command in commands {
        if let Err(error) = find_command(command).await {
            let cure = match &error {
                CommandError::Missing(_) => {
                    "check the spelling; name a file with its path: ./handler.sh"
                }
                CommandError::NotExecutable(_) => {
                    "make it executable (chmod +x), or name what runs it: sh handler.sh"
                }
            };
            let failure = Failure::usage(error.to_string());
            return Err(failure.fact("command", printable(command)).hint(cure));
        }
    }
    Ok(())
}

/// Returns the ports of the targets, which this process must not use.
pub(super) fn ports(routes: &Routes) -> Vec<u16> {
    let targets = routes.targets().iter();
    let ports = targets.filter_map(|target| target.url()?.port_or_known_default());
    ports.collect()
}
