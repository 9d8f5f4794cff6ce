//! Describes how a command that ran instead of a local service ended, according to its attempt.

use std::borrow::Cow;

use crate::history::{Attempt, Outcome};
use crate::target::EXEC;

/// The header of the answer with the exit status.
pub(crate) const EXIT_STATUS: &str = "podtap-exit-status";

/// Maximum number of characters of the displayed line.
const MAX_LINE: usize = 200;

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandEnd<'a> {
    /// The exit status as a number, or the signal that ended the command, such as `signal 9`.
    pub exit_status: Cow<'a, str>,
    /// The first line that it printed, on stderr if it failed. Untrusted text.
    pub first_line: Option<String>,
}

impl<'a> CommandEnd<'a> {
    /// Returns the end of this attempt's command; `None` if
    /// a service was called, or if the command was stopped.
    pub fn of(attempt: &'a Attempt) -> Option<Self> {
        let target = attempt.target.as_deref().unwrap_or(&attempt.url);
        let Outcome::Answered { headers, body, .. } = &attempt.outcome else {
            return None;
        };
        if !target.starts_with(EXEC) {
            return None;
        }
        let exit_status = String::from_utf8_lossy(headers.get(EXIT_STATUS)?);
        let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first_line = lines.into_iter().find(|line| !line.is_empty()).map(|line| {
            let line = String::from_utf8_lossy(line);
            line.chars().take(MAX_LINE).collect()
        });
        Some(Self {
            exit_status,
            first_line,
        })
    }

    /// Returns whether the command succeeded.
    pub fn is_success(&self) -> bool {
        self.exit_status == "0"
    }
}

impl std::fmt::Display for CommandEnd<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.exit_status.starts_with("signal") {
            write!(f, "ended by {}", self.exit_status)?;
        } else {
            write!(f, "exit status {}", self.exit_status)?;
        }
        match &self.first_line {
            Some(line) => write!(f, ": {line}"),
            None => Ok(()),
        }
    }
}
