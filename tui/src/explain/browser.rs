//! Opens a page in the person's browser.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// A launcher that is still running after this time has opened the page.
const FAILS_WITHIN: Duration = Duration::from_secs(2);

/// Opens a page with the first of the system's launchers that works. None of them
/// gets the variables in `secrets`.
pub(super) async fn open_page(link: String, secrets: &[String]) -> Result<(), String> {
    for launcher in open::commands(&link) {
        let mut launcher = Command::from(launcher);
        for variable in secrets {
            launcher.env_remove(variable);
        }
        let quiet = launcher
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // With a process group of its own, the browser is not ended by keys that end podtap.
        #[cfg(unix)]
        quiet.process_group(0);
        let Ok(mut started) = quiet.spawn() else {
            continue;
        };
        match timeout(FAILS_WITHIN, started.wait()).await {
            Ok(Ok(status)) if !status.success() => {}
            Ok(Err(_)) => {}
            Ok(Ok(_)) | Err(_) => return Ok(()),
        }
    }
    Err(format!("no browser could be opened; the page is {link}"))
}
