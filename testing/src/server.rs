//! Runs a PostgreSQL server for tests: in a temporary folder, as an ordinary user, on a socket in
//! that folder and a loopback port. The server ends when the test's process ends, however it ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use crate::port::own_port;

/// Script that starts, crashes and stops the server as its stdin tells it. It stops
/// everything when stdin ends. If a primary is given, the server is its standby.
const KEEPER: &str = r#"
set -u
bin=$1 port=$2 primary=$3; shift 3
dir=$(mktemp -d "${TMPDIR:-/tmp}/podtap-pg-XXXXXX") || exit 1
cd "$dir"
pid= others=
stop() { [ -z "$pid" ] || { kill -QUIT "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; pid=; }; }
trap 'stop; [ -z "$others" ] || kill -KILL $others 2>/dev/null; cd /; rm -rf "$dir"' EXIT
if [ -n "$primary" ]; then
  "$bin/pg_basebackup" -D data -R -c fast -d "$primary" >log 2>&1 || { cat log >&2; exit 1; }
else
  "$bin/initdb" -D data -U postgres -A trust -E UTF8 --no-locale --no-sync >log 2>&1 || exit 1
fi
echo "$dir"
while read -r what rest; do
  answer=done
  case $what in
    start) rm -f data/postmaster.pid
           "$bin/postgres" -D "$dir/data" -k "$dir" -p "$port" -h 127.0.0.1 "$@" >>log 2>&1 & pid=$! ;;
    crash) stop ;;
    run) sh -c "$rest" >>log 2>&1 </dev/null || answer=failed ;;
    spawn) sh -c "exec $rest" >>log 2>&1 </dev/null & others="$others $!" ;;
  esac
  echo $answer
done
"#;

/// Maximum number of checks whether the server answers; a busy machine is slow.
const ATTEMPTS: u32 = 1000;

/// Time between two of these checks.
const BETWEEN: Duration = Duration::from_millis(50);

/// A running server.
#[derive(Debug)]
pub struct DatabaseServer {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    keeper: Mutex<Keeper>,
}

#[derive(Debug)]
struct Keeper {
    /// The script [`KEEPER`], which ends when its stdin is closed.
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl DatabaseServer {
    /// Starts a server with additional settings such as `-c fsync=off`. If PostgreSQL is not
    /// installed, prints a message and returns `None`; in CI, fails.
    pub fn start(settings: &[&str]) -> Option<Self> {
        Self::start_as("", settings)
    }

    /// Starts a server as a standby of `primary`, a connection string, unless that is empty.
    pub fn start_as(primary: &str, settings: &[&str]) -> Option<Self> {
        let Some(bin) = programs() else {
            let missing = "install the package postgresql to try relays that share a database";
            let in_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
            assert!(!in_ci, "{missing}");
            // The message must not be captured: the person who runs the tests should see it.
            let _ = writeln!(std::io::stderr(), "skipped: {missing}");
            return None;
        };
        let port = own_port();
        let mut command = as_ordinary_user();
        command.args(["sh", "-c", KEEPER, "keeper"]).arg(&bin);
        command.args([&port.to_string(), primary]).args(settings);
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let mut folder = String::new();
        answers.read_line(&mut folder).unwrap();
        assert!(!folder.is_empty(), "no cluster could be made");
        let server = Self {
            bin,
            folder: PathBuf::from(folder.trim_end()),
            port,
            keeper: Mutex::new(Keeper {
                process,
                orders,
                answers,
            }),
        };
        server.restart();
        Some(server)
    }

    /// Creates an empty database and returns its URL.
    pub fn database(&self) -> String {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("test_{number}");
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// Returns the URL of a database, over the socket.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/{database}", self.port)
    }

    /// Returns the folder of the server, which contains `data`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a shell command in that folder, as the server's user.
    pub fn run(&self, script: &str) {
        self.order(&format!("run {script}"));
    }

    /// Makes the server reload its settings.
    pub fn reload(&self) {
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// The port on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL as the superuser and returns the output.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let out = Command::new(self.bin.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "postgres",
                "-h",
            ])
            .arg(&self.folder)
            .args(["-p", &self.port.to_string(), "-d", database, "-c", sql])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{sql}: {stderr}");
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// Kills all processes of the server.
    pub fn crash(&self) {
        self.order("crash");
    }

    /// Starts the server, also after a crash, and waits until it answers.
    pub fn restart(&self) {
        self.order("start");
        for _ in 0..ATTEMPTS {
            let ready = Command::new(self.bin.join("pg_isready"))
                .args(["-q", "-h"])
                .arg(&self.folder)
                .args(["-p", &self.port.to_string()])
                .status()
                .unwrap();
            if ready.success() {
                return;
            }
            std::thread::sleep(BETWEEN);
        }
        let log = std::fs::read_to_string(self.folder.join("log"));
        panic!("PostgreSQL does not start: {}", log.unwrap_or_default());
    }

    /// Sends an order to the script. `spawn` starts a program that ends with the server.
    pub fn order(&self, what: &str) {
        let mut keeper = self.keeper.lock().unwrap();
        let Keeper {
            orders, answers, ..
        } = &mut *keeper;
        let mut line = String::new();
        writeln!(orders.as_mut().unwrap(), "{what}").unwrap();
        answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), "done", "{what}");
    }
}

impl Drop for DatabaseServer {
    fn drop(&mut self) {
        if let Ok(keeper) = self.keeper.get_mut() {
            drop(keeper.orders.take());
            let _ = keeper.process.wait();
        }
    }
}

/// Returns the folder of the newest installed server, from Debian's folder or the `PATH`.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = debian.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let has_server = |bin: &PathBuf| bin.join("initdb").exists() && bin.join("postgres").exists();
    debian
        .filter(has_server)
        .max()
        .or_else(|| path.into_iter().find(has_server))
}

/// Returns a command that runs as an ordinary user, because PostgreSQL refuses to run as root.
fn as_ordinary_user() -> Command {
    let is_root = Command::new("id").arg("-u").output();
    let is_root = is_root.is_ok_and(|out| out.stdout.starts_with(b"0\n"));
    if !is_root {
        return Command::new("env");
    }
    let user = if is_user("postgres") {
        "postgres"
    } else {
        "nobody"
    };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid"]);
    command.args([
        if user == "nobody" { "nogroup" } else { user },
        "--clear-groups",
        "env",
        "-u",
        "TMPDIR",
    ]);
    command
}

fn is_user(name: &str) -> bool {
    let known = std::fs::read_to_string(Path::new("/etc/passwd")).unwrap_or_default();
    known
        .lines()
        .any(|line| line.starts_with(&format!("{name}:")))
}
