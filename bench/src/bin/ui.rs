//! Measures the built binary's terminal UI under load, in a real pseudo-terminal: how fast it
//! answers a key, how often it draws, and what it costs. Runs one part, and prints one JSON object.
//! docs/PERFORMANCE.md has the commands.
//!
//! The parts are `idle` (there are no new events, so nothing may be drawn), `flood`
//! (another process writes events, at `--rate` per second) and `listen` (webhooks
//! arrive at that rate through a relay in the process, which stores and delivers them,
//! with an empty history at the start).

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use jiff::Timestamp;
use podtap_agent::history::Writer;
use podtap_bench::pty::{CommandBuilder, Pty};
use podtap_bench::{Histogram, history, now_ns, usage};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Silence on the terminal that separates two frames: shorter than the minimum time between frames.
const BETWEEN_FRAMES: Duration = Duration::from_millis(4);

/// Number of commits per second of the process that writes events.
const GROUPS_A_SECOND: u64 = 50;

/// Maximum time for any step, after which the run has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// The tunnel to which the history belongs.
const NAME: &str = "bench";

/// A large screen.
const SCREEN: (u16, u16) = (200, 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UiBench {
    Idle,
    Flood,
    Listen,
}

#[derive(Debug, Parser)]
#[command(about = "Measures the terminal UI in a pseudo-terminal")]
struct UiOptions {
    /// Part to measure
    part: UiBench,
    /// Path of the binary
    #[arg(long, default_value = "target/release/podtap")]
    podtap: PathBuf,
    /// Events in the history at the start
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Events per second
    #[arg(long, default_value_t = 5_000)]
    rate: u64,
    /// Seconds to measure
    #[arg(long, default_value_t = 20)]
    secs: u64,
    /// Filter to apply during the measurement
    #[arg(long, default_value = "")]
    filter: String,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the result, for the benchmark script")]
async fn main() -> anyhow::Result<()> {
    let options = UiOptions::parse();
    if options.part == UiBench::Listen {
        println!("{}", listen(&options).await?);
        return Ok(());
    }
    let folder = history::copy_filled(options.events, NAME).await?;
    let file = folder.path().join(format!("{NAME}.db"));
    let mut pty = Pty::start(command(&options.podtap, folder.path())?, SCREEN.0, SCREEN.1)?;
    until(&pty, "the list", |pty| pty.text().contains("following")).await?;
    if !options.filter.is_empty() {
        pty.keys(&format!("/{}\r", options.filter))?;
        let titled = format!("Events · {}", options.filter);
        until(&pty, "the filter", |pty| pty.text().contains(&titled)).await?;
    }
    // The total of a large history is counted in parallel, so wait until that has ended.
    wait_until_settled(&pty).await?;
    let result = match options.part {
        UiBench::Idle => idle(&pty, Duration::from_secs(options.secs)).await?,
        UiBench::Flood | UiBench::Listen => flood(&mut pty, &file, &options).await?,
    };
    pty.keys("q")?;
    println!("{result}");
    Ok(())
}

/// Returns the command for `podtap ui` on the history in a folder.
fn command(podtap: &Path, folder: &Path) -> anyhow::Result<CommandBuilder> {
    let podtap = podtap.canonicalize().context("build podtap first")?;
    let mut command = CommandBuilder::new(podtap);
    command.args(["ui", "--name", NAME, "--data-dir"]);
    command.arg(folder);
    command.env_clear();
    command.env("TERM", "xterm-256color");
    command.env("HOME", folder);
    // Retention must not change the history during the measurement.
    command.env("PODTAP_KEEP_EVENTS", "100000000");
    command.cwd(folder);
    Ok(command)
}

async fn idle(pty: &Pty, time: Duration) -> anyhow::Result<serde_json::Value> {
    let pid = pty.pid().context("it has ended")?;
    let (before, drawn) = (usage::cpu(pid)?, pty.drawn_amount().bytes);
    let start = Instant::now();
    sleep(time).await;
    let used = usage::cpu(pid)?.saturating_sub(before);
    let share = used.as_secs_f64() / start.elapsed().as_secs_f64();
    Ok(serde_json::json!({
        "part": "idle",
        "cpu_percent": share * 100.0,
        "bytes_drawn": pty.drawn_amount().bytes - drawn,
        "peak_rss_mib": usage::peak_rss_mib(pid)?,
    }))
}

async fn flood(
    pty: &mut Pty,
    file: &Path,
    options: &UiOptions,
) -> anyhow::Result<serde_json::Value> {
    let pid = pty.pid().context("it has ended")?;
    let (writer, thread) = Writer::open(file, |_| {})?;
    let before = usage::cpu(pid)?;
    let start = Instant::now();
    let time = Duration::from_secs(options.secs);
    let (written, typed) = tokio::join!(
        write(&writer, options.events, options.rate, time),
        type_keys(pty, time)
    );
    let (written, (answers, frames)) = (written?, typed?);
    let seconds = start.elapsed().as_secs_f64();
    let cpu = usage::cpu(pid)?.saturating_sub(before).as_secs_f64();
    thread.close().await;
    Ok(serde_json::json!({
        "part": "flood",
        "filter": options.filter,
        "events_per_s": per_second(written, seconds),
        "key_to_screen": answers.to_json(),
        "frames_per_s": per_second(frames, seconds),
        "cpu_percent": cpu / seconds * 100.0,
        "peak_rss_mib": usage::peak_rss_mib(pid)?,
    }))
}

/// Measures `podtap listen` with everything on this machine: sender, relay,
/// agent, local service, terminal.
async fn listen(options: &UiOptions) -> anyhow::Result<serde_json::Value> {
    let folder = tempfile::tempdir()?;
    let service = free_address()?;
    let _sink = beside("sink")?
        .arg(service.to_string())
        .kill_on_drop(true)
        .spawn()?;
    let mut command = command(&options.podtap, folder.path())?;
    command.args(["--listen", &free_address()?.to_string()]);
    let argv = command.get_argv_mut();
    if let Some(subcommand) = argv.get_mut(1) {
        *subcommand = "listen".into();
    }
    command.arg(service.to_string());
    let mut pty = Pty::start(command, SCREEN.0, SCREEN.1)?;
    until(&pty, "the public URL", |pty| {
        public_url(&pty.text()).is_some()
    })
    .await?;
    let url = public_url(&pty.text()).context("no public URL")?;
    let pid = pty.pid().context("it has ended")?;
    let before = usage::cpu(pid)?;
    let start = Instant::now();
    let events = options.rate * options.secs;
    let mut post = beside("post")?;
    post.args([&format!("{url}podio/hook"), "--connections", "64"]);
    post.args([
        "--events",
        &events.to_string(),
        "--rate",
        &options.rate.to_string(),
    ]);
    let (posted, typed) = tokio::join!(
        post.kill_on_drop(true).output(),
        type_keys(&mut pty, Duration::from_secs(options.secs))
    );
    ensure!(posted?.status.success(), "not everything was accepted");
    let (answers, frames) = typed?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = usage::cpu(pid)?.saturating_sub(before).as_secs_f64();
    let peak_rss_mib = usage::peak_rss_mib(pid)?;
    pty.keys("q")?;
    Ok(serde_json::json!({
        "part": "listen",
        "events_per_s": per_second(events, seconds),
        "key_to_screen": answers.to_json(),
        "frames_per_s": per_second(frames, seconds),
        "cpu_percent": cpu / seconds * 100.0,
        "peak_rss_mib": peak_rss_mib,
    }))
}

/// Returns the command for another program of the benchmark.
fn beside(name: &str) -> anyhow::Result<tokio::process::Command> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "build {name} first");
    let mut command = tokio::process::Command::new(path);
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    Ok(command)
}

/// Returns an address of this machine on which no program listens.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Returns the tunnel's URL in the header.
fn public_url(screen: &str) -> Option<String> {
    let (_, rest) = screen.split_once("http://127.0.0.1:")?;
    let rest = rest.split_whitespace().next()?;
    rest.ends_with('/')
        .then(|| format!("http://127.0.0.1:{rest}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn per_second(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

/// Writes events at a rate, and returns their number.
async fn write(writer: &Writer, from: u64, rate: u64, time: Duration) -> anyhow::Result<u64> {
    let mut groups = interval(Duration::from_secs(1) / u32::try_from(GROUPS_A_SECOND)?);
    groups.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (start, mut number) = (Instant::now(), from);
    while start.elapsed() < time {
        groups.tick().await;
        let next = number + rate / GROUPS_A_SECOND;
        let events = (number..next).map(|number| history::event_at(Timestamp::now(), number));
        writer.append(events.collect()).await?;
        number = next;
    }
    Ok(number - from)
}

/// Presses a key repeatedly. It opens and closes the help, which no event does. Returns the times
/// until the answers, and the number of frames that were drawn meanwhile.
async fn type_keys(pty: &mut Pty, time: Duration) -> anyhow::Result<(Histogram, u64)> {
    let (mut answers, mut frames) = (Histogram::default(), 0);
    let (start, mut last) = (Instant::now(), pty.drawn_amount().last_ns);
    let mut open = false;
    while start.elapsed() < time {
        let pressed = now_ns();
        pty.keys(if open { "\x1b" } else { "?" })?;
        open = !open;
        let mut is_answered = false;
        let next = Instant::now() + Duration::from_millis(237);
        while Instant::now() < next {
            if !is_answered && pty.text().contains("esc closes") == open {
                is_answered = true;
                answers.record(Duration::from_nanos(now_ns() - pressed));
            }
            let drawn = pty.drawn_amount().last_ns;
            if drawn > last + u64::try_from(BETWEEN_FRAMES.as_nanos())? {
                frames += 1;
            }
            last = drawn;
            sleep(Duration::from_millis(1)).await;
        }
        ensure!(
            is_answered || start.elapsed() < PATIENCE,
            "a key is not answered"
        );
        if !is_answered {
            answers.record(Duration::from_nanos(now_ns() - pressed));
        }
    }
    Ok((answers, frames))
}

/// Waits until nothing has been drawn for a while.
async fn wait_until_settled(pty: &Pty) -> anyhow::Result<()> {
    let quiet = u64::try_from(Duration::from_secs(3).as_nanos())?;
    until(pty, "an end of the drawing", |pty| {
        now_ns() - pty.drawn_amount().last_ns > quiet
    })
    .await
}

async fn until(pty: &Pty, what: &str, holds: impl Fn(&Pty) -> bool) -> anyhow::Result<()> {
    let start = Instant::now();
    while !holds(pty) {
        ensure!(
            start.elapsed() < PATIENCE,
            "{what} never came:\n{}",
            pty.text()
        );
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
