//! The ways in which a run can fail: what was wrong, where, and what to do, with
//! the exit code for scripts. The only place that prints an error or a warning.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use podtap_connect::reason::chain;

use crate::printable::printable;
use crate::style::{Tone, paint};
use crate::system::{HUNG_UP, terminal_is_gone};

/// What to do where the data folder cannot be written.
pub(crate) const OTHER_FOLDER: &str = "choose a folder that you may write to with --data-dir";

/// Exit codes, as `--help` states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    Failed = 1,
    Usage = 2,
    Refused = 3,
    Unreachable = 4,
    ServiceFailed = 5,
    NothingMatched = 6,
    TakenOver = 7,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// An error that is reported to the person.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    what: String,
    facts: Vec<(&'static str, String)>,
    /// Whether the reader of stdout is gone (`podtap events | head`): then nothing is reported.
    broken_pipe: bool,
}

impl Failure {
    /// Returns a failure with this exit code; `what` is lower-case and without a full stop.
    pub(crate) fn new(code: Code, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            facts: Vec::new(),
            broken_pipe: false,
        }
    }

    /// Returns a failure for a wrong command line or setting.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Code::Usage, what)
    }

    /// Returns a failure of `what` because of `error`;
    /// the only place that adds the chain of causes.
    pub(crate) fn because(what: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        Self::new(Code::Failed, format!("{what}: {}", chain(error)))
    }

    /// Adds a fact: a short label and its value.
    pub(crate) fn fact(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((label, value.into()));
        self
    }

    /// Adds what the person can do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.fact("try", hint)
    }

    /// Sets another exit code.
    pub(crate) fn code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// Returns what went wrong, without the facts.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    /// Returns the value of the fact with this label.
    pub(crate) fn fact_value(&self, label: &str) -> Option<&str> {
        let fact = self.facts.iter().find(|(other, _)| *other == label);
        fact.map(|(_, value)| value.as_str())
    }

    pub(crate) const fn exit_code(&self) -> Code {
        self.code
    }

    /// Prints the failure on stderr, in colour if `coloured`, and returns the exit code.
    pub(crate) fn report(self, coloured: bool) -> ExitCode {
        if self.broken_pipe {
            return ExitCode::SUCCESS;
        }
        if terminal_is_gone() {
            return HUNG_UP.into();
        }
        to_stderr(ERROR, Tone::Bad, &self, coloured);
        self.code.into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, ERROR, &self.what, &self.facts)
    }
}

/// A problem that does not stop the run but that the person should know.
#[derive(Debug)]
pub(crate) struct Warning {
    what: String,
    facts: Vec<(&'static str, String)>,
}

impl Warning {
    /// Returns a warning; `what` is lower-case and without a full stop.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            facts: Vec::new(),
        }
    }

    /// Adds a fact: a short label and its value.
    pub(crate) fn fact(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((label, value.into()));
        self
    }

    /// Adds what the person can do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        self.fact("try", hint)
    }

    /// Prints the warning on stderr, in colour if `coloured`.
    pub(crate) fn report(self, coloured: bool) {
        to_stderr(WARNING, Tone::Doubtful, &self, coloured);
    }
}

/// A failure after which the run goes on.
impl From<Failure> for Warning {
    fn from(failure: Failure) -> Self {
        Self {
            what: failure.what,
            facts: failure.facts,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, WARNING, &self.what, &self.facts)
    }
}

/// First words of an error and of a warning.
const ERROR: &str = "error:";
const WARNING: &str = "warning:";

/// Writes to stderr. If stderr is closed, no one reads it, so a failed write is ignored.
fn to_stderr(kind: &str, tone: Tone, text: &impl fmt::Display, coloured: bool) {
    let text = text.to_string();
    let rest = text.strip_prefix(kind).unwrap_or_default();
    let text = format!("{}{rest}", paint(coloured, tone, kind));
    std::io::stderr().lock().write_all(text.as_bytes()).ok();
}

/// Writes `error: what` and the facts below it. Any part may contain text from outside,
/// which must not reach a terminal raw (invariant 7). All errors and warnings pass here.
fn write(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    what: &str,
    facts: &[(&'static str, String)],
) -> fmt::Result {
    let labels = facts.iter().map(|(label, _)| label.len());
    let width = labels.max().unwrap_or(0) + 2;
    let mut lines = what.lines();
    let first = printable(lines.next().unwrap_or_default());
    writeln!(f, "{kind} {first}")?;
    for line in lines {
        writeln!(f, "  {}", printable(line))?;
    }
    for (label, value) in facts {
        let mut lines = value.lines().map(printable);
        let first = lines.next().unwrap_or_default();
        writeln!(f, "  {label:width$}{first}")?;
        for line in lines {
            writeln!(f, "  {:width$}{line}", "")?;
        }
    }
    Ok(())
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let broken_pipe = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            broken_pipe,
            ..Self::because("input or output failed", &error)
        }
    }
}
