//! The terminal UI in a real pseudo-terminal; afterwards the terminal is in its original state.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::{Stage, Terminal, eventually};

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

    let status = terminal.wait_for_end().await;
    assert_eq!(status.exit_code(), 0, "{}", terminal.text());
    terminal.is_as_before().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_terminal_is_usable_and_a_signal_restores_it() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let stage = Stage::new();
        let mut terminal = Terminal::start(&stage, &["demo", "--rate", "20"], 60, 15);
        terminal.shows("✓ 200").await;
        terminal.is_taken().await;

        kill_process(Pid::from_raw(terminal.pid()).unwrap(), signal).unwrap();

        let status = terminal.wait_for_end().await;
        assert_eq!(status.exit_code(), code, "{}", terminal.text());
        terminal.is_as_before().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_ui_gives_the_terminal_back_and_draws_all_of_it_when_continued() {
    let stage = Stage::new();
    let script = r#""$@"; echo suspended; read -r go; fg; echo over"#;
    let mut terminal = Terminal::in_shell(&stage, script, &["demo", "--rate", "4"]);
    terminal.shows("✓ 200").await;

    terminal.keys("\x1a");

    terminal.shows("suspended").await;
    terminal.is_as_before().await;

    terminal.keys("\n");

    terminal.shows("✓ 200").await;
    terminal.shows("q quit").await;
    terminal.no_longer_shows("suspended").await;
    terminal.is_taken().await;
    terminal.keys("q");
    terminal.shows("over").await;
    terminal.wait_for_end().await;
    terminal.is_as_before().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_away_ends_the_ui_even_where_nobody_hears_of_it() {
    for script in [r#"exec "$@""#, r#"trap "" HUP; exec "$@""#] {
        let stage = Stage::new();
        let mut terminal = Terminal::in_shell(&stage, script, &["demo", "--rate", "4"]);
        terminal.shows("✓ 200").await;
        let pid = Pid::from_raw(terminal.pid()).unwrap();

        terminal.hang_up();

        terminal.wait_for_end().await;
        let gone = || test_kill_process(pid).is_err().then_some(());
        eventually("the end of the process", gone, || format!("{pid:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_shrinks_and_grows_shows_all_of_the_screen_again() {
    let stage = Stage::new();
    let mut terminal = Terminal::start(&stage, &["demo", "--rate", "4"], 120, 40);
    terminal.shows("✓ 200").await;
    terminal.shows("q quit").await;

    terminal.resize(40, 10);
    terminal.shows("60×15").await;
    terminal.resize(120, 40);

    terminal.no_longer_shows("60×15").await;
    terminal.shows("✓ 200").await;
    terminal.shows("q quit").await;
    let text = terminal.text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 40, "{text}");
    let is_framed = |line: &&str| line.starts_with('│') && line.ends_with('│');
    let framed = lines.iter().filter(|line| is_framed(line)).count();
    assert!(framed >= 34, "{framed} framed lines:\n{text}");
    terminal.keys("q");
    terminal.wait_for_end().await;
}
