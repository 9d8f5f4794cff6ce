//! Reports damage of a history: an incomplete list would look complete.

use std::process::ExitCode;
use std::time::Duration;

use podtap_agent::history::{History, Position};

use crate::failure::{Code, Failure};

/// Maximum size in bytes of a history that is checked after a listing.
const CHECKED: u64 = 64 * 1024 * 1024;

/// Maximum time for the check.
const CHECK_TIME: Duration = Duration::from_secs(1);

/// Fails if events from `from` on are missing, or if the file is damaged.
pub(super) async fn report(history: &History, from: Position) -> Result<ExitCode, Failure> {
    let file = history.path().display().to_string();
    match history.damage(from).await?.events() {
        0 => {}
        missing => {
            let what = match missing {
                1 => "1 event could not be read and is missing above".to_owned(),
                more => format!("{more} events could not be read and are missing above"),
            };
            return Err(Failure::new(Code::Failed, what)
                .fact("file", file)
                .hint("`podtap listen` moves what is left of them to the table `damaged`"));
        }
    }
    let is_small = history.bytes_on_disk().is_ok_and(|bytes| bytes <= CHECKED);
    if is_small
        && let Ok(checked) = tokio::time::timeout(CHECK_TIME, history.check()).await
        && let Some(findings) = checked?
    {
        let what = "the history is damaged, and events may be missing above";
        return Err(Failure::new(Code::Failed, what)
            .fact("file", file)
            .fact("found", findings.into_iter().next().unwrap_or_default())
            .hint("start `podtap listen` for this tunnel: it keeps every event that can be read"));
    }
    Ok(ExitCode::SUCCESS)
}
