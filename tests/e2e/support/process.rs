//! Runs `podtap`, reads its output line by line, and sends it signals.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{eventually, schema};

/// A process that is killed at the end of the test.
pub(crate) struct Process {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    readers: [JoinHandle<()>; 2],
    /// Whether it prints JSON lines and nothing else.
    is_json: bool,
}

type Lines = Arc<Mutex<Vec<String>>>;

/// Returns a command for `podtap` without the test's environment variables that could affect it.
pub(crate) fn podtap(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_podtap"));
    for (name, _) in std::env::vars_os() {
        let foreign = name.to_string_lossy().to_lowercase();
        if foreign.starts_with("podtap_") || foreign.ends_with("_proxy") || foreign == "port" {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_STATE_HOME", home.join("state"))
        // A test must never reach Podio; tests that need its API start a sandbox.
        .env("PODTAP_PODIO_URL", "http://127.0.0.1:9")
        .env(
            "RUST_LOG",
            "warn,podtap=info,podtap_relay=info,podtap_agent=info",
        )
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

impl Process {
    /// Starts the process and begins to read its output.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let is_json = prints_json(command.get_args());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, out) = collect("stdout", child.stdout.take().unwrap());
        let (stderr, err) = collect("stderr", child.stderr.take().unwrap());
        Self {
            child,
            stdout,
            stderr,
            readers: [out, err],
            is_json,
        }
    }

    /// Returns its stdin, if the command has a pipe for it.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Returns all lines that the process has printed on stdout so far.
    pub(crate) fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap().clone()
    }

    /// Returns all that the process has printed on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().join("\n")
    }

    /// Returns the JSON objects of this type that were printed so far.
    pub(crate) fn objects(&self, r#type: &str) -> Vec<Value> {
        let lines = self.stdout.lock().unwrap();
        let parsed = lines
            .iter()
            .map(|line| match serde_json::from_str::<Value>(line) {
                Ok(value) => value,
                Err(error) => panic!("not JSON ({error}): {line}"),
            });
        parsed.filter(|value| value["type"] == r#type).collect()
    }

    /// Waits until a matching JSON object of this type is printed, and returns the first one.
    pub(crate) async fn object(&self, r#type: &str, suits: impl Fn(&Value) -> bool) -> Value {
        let state = || format!("stdout {:#?}\nstderr {}", self.stdout(), self.stderr());
        let found = || self.objects(r#type).into_iter().find(|value| suits(value));
        eventually(&format!("a {type} object"), found, state).await
    }

    /// Returns the maximum memory of the process so far, in MiB.
    pub(crate) fn peak_mib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib / 1024
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Kills the process, without a chance to clean up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until the process has ended and all its output was read.
    pub(crate) async fn wait_for_end(&mut self) -> ExitStatus {
        let (stdout, stderr) = (Arc::clone(&self.stdout), Arc::clone(&self.stderr));
        let state = || {
            format!(
                "{:#?}\n{:#?}",
                stdout.lock().unwrap(),
                stderr.lock().unwrap()
            )
        };
        eventually(
            "the end of the process",
            || {
                let is_read = self.readers.iter().all(JoinHandle::is_finished);
                self.child.try_wait().unwrap().filter(|_| is_read)
            },
            state,
        )
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
        if !std::thread::panicking() {
            schema::check(self.is_json, self.stdout().iter().map(String::as_str));
        }
    }
}

/// Whether a command with these arguments prints JSON lines. What follows `--` is another's.
fn prints_json<'a>(args: impl Iterator<Item = &'a OsStr>) -> bool {
    let own: Vec<&OsStr> = args.take_while(|arg| *arg != "--").collect();
    let has = |flag: &str| own.iter().any(|arg| *arg == flag);
    has("--json") && !has("--help")
}

fn collect(name: &str, stream: impl Read + Send + 'static) -> (Lines, JoinHandle<()>) {
    let lines = Lines::default();
    let reader = {
        let lines = Arc::clone(&lines);
        move || {
            for line in BufReader::new(stream).lines() {
                let Ok(line) = line else { break };
                lines.lock().unwrap().push(line);
            }
        }
    };
    let reader = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(reader)
        .unwrap();
    (lines, reader)
}

/// Runs `podtap` to its end; returns exit code, stdout and stderr.
pub(crate) fn output<S: AsRef<OsStr>>(home: &Path, args: &[S]) -> (i32, String, String) {
    let output = podtap(home).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let stdout = text(output.stdout);
    let is_json = prints_json(args.iter().map(AsRef::as_ref));
    schema::check(is_json, stdout.lines());
    (
        output.status.code().unwrap_or(-1),
        stdout,
        text(output.stderr),
    )
}
