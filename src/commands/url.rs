//! `podtap url`: prints the public URL of a tunnel,
//! for a script or for a person at another terminal.

use std::process::ExitCode;

use crate::config::Settings;
use crate::failure::{Code, Failure, Warning};
use crate::output::print;
use crate::running::{RunState, holder};

/// Prints the URL. It is the same whether or not an agent is listening.
pub(crate) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let (history, tunnel) = (settings.history()?, settings.tunnel()?);
    let Some(url) = RunState::last(&history).and_then(|running| running.url) else {
        return Err(Failure::new(
            Code::NothingMatched,
            format!("the tunnel {tunnel} has no public URL yet"),
        )
        .hint("`podtap listen 3000` creates one; `podtap url NAME` prints another tunnel's"));
    };
    print(&url)?;
    if holder(&history).is_none() {
        settings.report(
            Warning::new(format!("no agent is running for the tunnel {tunnel}"))
                .hint("start `podtap listen`; a relay on a server keeps new webhooks until then"),
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
