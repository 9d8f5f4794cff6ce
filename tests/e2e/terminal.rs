//! The terminal UI in a real pseudo-terminal; afterwards the terminal is as it was.

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Stage, Terminal};

fn is_restored(terminal: &Terminal) -> bool {
    !terminal.is_alternate() && !terminal.hides_cursor() && !terminal.reports_mouse()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_browsed_and_replayed_and_leaves_the_terminal_as_it_was() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["demo", "--rate", "4"], 120, 40);

    terminal.shows("✓ 200").await;
    assert!(terminal.is_alternate(), "{}", terminal.text());
    terminal.keys("jjr");
    terminal.shows("Replayed ").await;
    terminal.keys("?");
    terminal.shows("esc closes").await;
    terminal.keys("\x1b");
    terminal.no_longer_shows("esc closes").await;
    terminal.keys("q");

    let status = terminal.ended().await;
    assert_eq!(status.exit_code(), 0, "{}", terminal.text());
    assert!(is_restored(&terminal), "{}", terminal.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_terminal_is_usable_and_sigterm_restores_it() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["demo", "--rate", "20"], 60, 15);
    terminal.shows("✓ 200").await;

    kill_process(Pid::from_raw(terminal.pid()).unwrap(), Signal::TERM).unwrap();

    terminal.ended().await;
    assert!(is_restored(&terminal), "{}", terminal.text());
}
