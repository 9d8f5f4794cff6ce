//! Runs a command instead of a local service, once per event, with the event's body on its stdin.
//! The exit status is the answer, and what the command prints is the answer's body.

mod group;
mod guard;
mod under_way;
mod variables;

use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures_util::future::{FusedFuture as _, FutureExt as _};
use podtap_connect::reason::words;
use podtap_wire::HeaderList;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};

use super::exchange::{DeliveryFailure, Dispatch, ServiceAnswer};
use super::kept::KeptBody;
use crate::command_end::EXIT_STATUS;
pub use guard::{GUARD_COMMANDS, guard_commands, set_command_guard};
use under_way::CommandGroup;
pub use under_way::kill_commands;
pub use variables::command_variables;

/// Time for which the output is read after the command has ended: a process that left the group may
/// hold the pipe open for ever.
const LINGER: Duration = Duration::from_millis(500);

/// Exit statuses of a shell that cannot run a command.
const NOT_RUN: [i32; 2] = [126, 127];

/// Number of bytes per read.
const BUFFER: usize = 16 * 1024;

/// Limits for running a command.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandLimits<'a> {
    /// Maximum time from its start to its end; then it is killed with everything that it started.
    pub(super) timeout: Duration,
    /// Environment variables that it does not get.
    pub(super) hidden: &'a [String],
}

/// Why a command cannot be run, judged by its first word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// There is no program and no file with this name.
    #[error("there is no command `{0}`")]
    Missing(String),
    /// The file exists and cannot be run.
    #[error("`{0}` is not executable")]
    NotExecutable(String),
}

/// Runs a command for an event; the two `kept` collect its stdout and its stderr. If the future is
/// dropped, the command is killed with everything that it started.
pub(super) async fn run(
    command: &str,
    dispatch: &Dispatch<'_>,
    limits: CommandLimits<'_>,
    kept: [KeptBody; 2],
) -> Result<ServiceAnswer, DeliveryFailure> {
    let mut child = start(command, dispatch, limits.hidden).map_err(|error| {
        let reason = words(&error);
        DeliveryFailure::Unreachable(format!("the command cannot be started: {reason}"))
    })?;
    let group = CommandGroup::of(&child);
    let [mut stdout, mut stderr] = kept;
    let talk = talk(&mut child, group, dispatch.body, &mut stdout, &mut stderr);
    let Ok(ended) = tokio::time::timeout(limits.timeout, talk).await else {
        return Err(DeliveryFailure::Ended(format!(
            "the command did not end within {:?} and was killed",
            limits.timeout
        )));
    };
    let status = ended.map_err(|error| {
        DeliveryFailure::Ended(format!("the command ended unexpectedly: {}", words(&error)))
    })?;
    if status.code().is_some_and(|code| NOT_RUN.contains(&code))
        && let Err(error) = find(command).await
    {
        return Err(DeliveryFailure::Unreachable(error.to_string()));
    }
    if status.success() {
        return Ok(stdout.answer(200, exit_headers(status)));
    }
    stderr.append(stdout);
    Ok(stderr.answer(500, exit_headers(status)))
}

/// Checks whether a command can be run, judged by its first word.
///
/// # Errors
/// If it certainly cannot be run.
pub async fn find(command: &str) -> Result<(), CommandError> {
    let Some(word) = first_word(command) else {
        return Ok(());
    };
    let is_path = word.contains('/');
    if is_path && !Path::new(word).exists() {
        return Err(CommandError::Missing(word.to_owned()));
    }
    let question = if is_path {
        "test -x \"$1\" && ! test -d \"$1\""
    } else {
        "command -v \"$1\""
    };
    let mut look = Command::new("sh");
    look.args(["-c", question, "sh", word])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    match look.status().await {
        Ok(found) if !found.success() && is_path => {
            Err(CommandError::NotExecutable(word.to_owned()))
        }
        Ok(found) if !found.success() => Err(CommandError::Missing(word.to_owned())),
        // Without a shell of that name, nothing is known.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns the first word if it is a plain one: without
/// variables, quotes or other syntax of the shell.
fn first_word(command: &str) -> Option<&str> {
    let word = command.split_whitespace().next()?;
    let is_plain = |c: char| c.is_alphanumeric() || "_./+-@%:,".contains(c);
    (word.chars().all(is_plain) && !word.starts_with('-')).then_some(word)
}

fn start(command: &str, dispatch: &Dispatch<'_>, hidden: &[String]) -> std::io::Result<Child> {
    let (shell, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut starting = Command::new(shell);
    starting
        .args([flag, command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for name in hidden {
        starting.env_remove(name);
    }
    for (name, value) in variables::of(dispatch) {
        match value {
            // If Podtap runs inside such a command, the
            // variables of that command's event must not remain.
            None => starting.env_remove(name),
            Some(value) => starting.env(name, value),
        };
    }
    group::set_apart(starting.as_std_mut());
    under_way::prepare_guard();
    starting.spawn()
}

/// Writes the command's stdin, reads its output, and
/// waits for the end of the command and its group.
async fn talk(
    child: &mut Child,
    group: CommandGroup,
    body: &[u8],
    out: &mut KeptBody,
    err: &mut KeptBody,
) -> std::io::Result<ExitStatus> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let pipes = async {
        tokio::join!(give(stdin, body), take(stdout, out), take(stderr, err));
    };
    let mut pipes = pin!(pipes.fuse());
    let status = loop {
        tokio::select! {
            () = &mut pipes, if !pipes.is_terminated() => {}
            status = child.wait() => break status,
        }
    };
    drop(group);
    if !pipes.is_terminated() {
        let _ = tokio::time::timeout(LINGER, pipes).await;
    }
    status
}

/// Writes the body. The command need not read it.
async fn give(stdin: Option<ChildStdin>, body: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(body).await;
    }
}

async fn take(stream: Option<impl AsyncRead + Unpin>, kept: &mut KeptBody) {
    let Some(mut stream) = stream else { return };
    let mut buffer = vec![0; BUFFER];
    // A stream that can no longer be read has ended.
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        kept.add(buffer.get(..count).unwrap_or_default());
    }
}

/// Returns the headers of the answer for an exit status.
fn exit_headers(status: ExitStatus) -> HeaderList {
    let code = match status.code() {
        Some(code) => code.to_string(),
        None => group::signal(status).map_or_else(String::new, |number| format!("signal {number}")),
    };
    [
        ("content-type", "text/plain; charset=utf-8".to_owned()),
        (EXIT_STATUS, code),
    ]
    .into_iter()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_is_not_there_is_known_by_its_first_word() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain.sh");
        std::fs::write(&plain, "exit 0\n").unwrap();
        let (plain, folder) = (plain.display().to_string(), folder.path().display());
        let missing = |word: &str| Err(CommandError::Missing(word.to_owned()));
        for (command, found) in [
            ("cat", Ok(())),
            ("cat | wc -c", Ok(())),
            ("  exit 3", Ok(())),
            ("/bin/sh -c true", Ok(())),
            ("podtap-no-such --x", missing("podtap-no-such")),
            ("/no/such/handler.sh", missing("/no/such/handler.sh")),
            ("A=b podtap-no-such", Ok(())),
            ("\"$HANDLER\"", Ok(())),
            ("", Ok(())),
            (&plain, Err(CommandError::NotExecutable(plain.clone()))),
            (
                &format!("{folder}/"),
                Err(CommandError::NotExecutable(format!("{folder}/"))),
            ),
        ] {
            assert_eq!(find(command).await, found, "{command}");
        }
    }
}
