//! Tests that the UI restores a real pseudo-terminal, however the program ends. The tests of the
//! built binary cover what the binary does there.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use podtap_bench::pty::{CommandBuilder, ExitStatus, Pty};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::Bench;

/// Maximum time to wait, much longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The description that the system gives of a program that SIGABRT ended.
const ABORTED: &str = "Aborted";

#[tokio::test]
async fn a_panic_that_unwinds_gives_the_terminal_back() {
    let (ended, said) = panicking("here").await;
    assert_eq!(ended.exit_code(), 101, "{said}");
}

#[tokio::test]
async fn a_panic_beside_the_ui_gives_the_terminal_back_and_nothing_is_drawn_after_it() {
    let (ended, said) = panicking("aside").await;
    assert_eq!(ended.exit_code(), 0, "{said}");
}

#[tokio::test]
async fn a_panic_that_aborts_gives_the_terminal_back() {
    let (ended, said) = panicking("abort").await;
    assert_eq!(ended.signal(), Some(ABORTED), "{said}");
}

#[tokio::test]
async fn the_first_key_after_a_change_of_size_is_seen() {
    let bench = Bench::new(None);
    let mut pty = listing(&bench, "here").await;
    for columns in [120_u16, 100, 110] {
        pty.resize(columns, 30).unwrap();
        until(&mut pty, "the new size", |pty| {
            let text = pty.text();
            let mut widths = text.lines().map(|line| line.chars().count());
            widths
                .any(|width| width == usize::from(columns))
                .then_some(())
        });
        pty.keys("?").unwrap();
        until(&mut pty, "the help", |pty| {
            pty.text().contains("In the list").then_some(())
        });
        pty.keys("\x1b").unwrap();
        until(&mut pty, "the list", |pty| {
            (!pty.text().contains("In the list")).then_some(())
        });
    }
}

/// Starts the example and waits until it shows its events.
async fn listing(bench: &Bench, how: &str) -> Pty {
    bench.history.append(1..=50).await;
    let mut command = CommandBuilder::new(example());
    command.arg(bench.handle.history().path());
    command.arg(how);
    command.env("TERM", "xterm-256color");
    command.env("RUST_BACKTRACE", "0");
    let mut pty = Pty::start(command, 100, 30).unwrap();
    until(&mut pty, "the list", |pty| {
        let is_taken = pty.traces().len() == 5;
        (is_taken && pty.text().contains("item 50 r3")).then_some(())
    });
    pty
}

/// Lets the example panic. Returns how it ended and what was on the screen then.
async fn panicking(how: &str) -> (ExitStatus, String) {
    let bench = Bench::new(None);
    let mut pty = listing(&bench, how).await;
    let pid = i32::try_from(pty.pid().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::USR1).unwrap();

    until(&mut pty, "the words of the panic", |pty| {
        pty.text().contains("told to panic").then_some(())
    });
    // Gives a UI that is still running a reason to draw.
    pty.resize(99, 29).unwrap();
    let ended = until(&mut pty, "the end", |pty| pty.exit_status().unwrap());
    assert_eq!(pty.traces(), [""; 0], "{}", pty.text());
    let said = pty.text();
    assert!(!said.contains("item 50 r3"), "{said}");
    (ended, said)
}

fn until<T>(pty: &mut Pty, what: &str, holds: impl Fn(&mut Pty) -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = holds(pty) {
            return value;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{what} never came: {}",
            pty.text()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the path of the example. Cargo builds examples with the tests of a package, in a
/// folder beside the folder of the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(std::path::Path::parent).unwrap();
    let example = profile.join("examples").join("panics");
    assert!(
        example.exists(),
        "{} is not built: cargo build -p podtap-tui --examples",
        example.display()
    );
    example
}
