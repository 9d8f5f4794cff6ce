//! Applies an operation to several hooks: each has its own result, and all share one exit code.

use podtap_podio::client::Client;

use crate::failure::{Code, Failure};
use crate::output::print;

/// The failures among several operations.
#[derive(Default)]
pub(super) struct Results {
    failed: Vec<(String, Failure)>,
}

impl Results {
    /// Notes a failure; the other operations go on.
    pub(super) fn note_failure(&mut self, what: String, failure: Failure) {
        self.failed.push((what, failure));
    }

    /// Returns a single failure unchanged, and several
    /// as one: with their common exit code, or else 1.
    pub(super) fn into_one(mut self, summary: &str) -> Result<(), Failure> {
        if self.failed.len() <= 1 {
            return match self.failed.pop() {
                Some((what, failure)) => Err(failure.fact("which", what)),
                None => Ok(()),
            };
        }
        let mut codes = self.failed.iter().map(|(_, failure)| failure.exit_code());
        let first = codes.next().unwrap_or(Code::Failed);
        let code = if codes.all(|code| code == first) {
            first
        } else {
            Code::Failed
        };
        let failed = self.failed.into_iter();
        let lines = failed.map(|(what, failure)| format!("{what}: {}", failure.what()));
        let lines: Vec<_> = lines.collect();
        Err(Failure::new(code, summary).fact("failed", lines.join("\n")))
    }
}

/// Asks Podio to send another `hook.verify` for each hook.
pub(super) async fn verify(client: &Client, hook_ids: &[u64]) -> Result<(), Failure> {
    let mut results = Results::default();
    for hook_id in hook_ids {
        match client.request_hook_verification(*hook_id).await {
            Ok(()) => print(&format!("Podio will verify hook {hook_id}"))?,
            Err(error) => results.note_failure(format!("hook {hook_id}"), error.into()),
        }
    }
    results.into_one("some verifications were not requested")
}

/// Deletes each hook; a hook that does not exist counts as a failure.
pub(super) async fn delete(client: &Client, hook_ids: &[u64]) -> Result<(), Failure> {
    let mut results = Results::default();
    for hook_id in hook_ids {
        match client.remove_hook(*hook_id).await {
            Ok(true) => print(&format!("Deleted hook {hook_id}"))?,
            Ok(false) => {
                let gone = Failure::new(Code::NothingMatched, "there is no such hook");
                results.note_failure(format!("hook {hook_id}"), gone);
            }
            Err(error) => results.note_failure(format!("hook {hook_id}"), error.into()),
        }
    }
    results.into_one("some hooks were not deleted")
}
