//! Draws a picture of what a program shows on a terminal. `docs/pictures.sh` creates the
//! pictures of the documentation with it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;
use podtap_bench::picture::Palette;
use podtap_bench::pty::{CommandBuilder, Pty};

/// The description for screen readers.
const TITLE: &str = "Podtap: a list of Podio events, and the decoded detail of one";

/// Number of rows, as in many people's terminals.
const ROWS: u16 = 36;

/// Interval at which the screen is checked,
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// and number of checks before giving up: two minutes.
const LOOKS: usize = 2_400;

/// Maximum time for a key press to take effect on the screen.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug, Parser)]
#[command(
    about = "Draws what a program shows on a terminal, once for dark and once for light pages"
)]
struct PictureOptions {
    /// The files, without `-dark.svg` and `-light.svg`
    #[arg(long)]
    output: PathBuf,
    /// Events to wait for before the keys: the total in the upper right of the list
    #[arg(long)]
    events: u64,
    /// Keys to press, with a space between; `enter` and `esc` by name
    #[arg(long, default_value = "")]
    keys: String,
    /// Text to wait for after the keys; with several, all of them at once
    #[arg(long)]
    then: Vec<String>,
    /// Width of the terminal
    #[arg(long, default_value_t = 120)]
    columns: u16,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    program: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let options = PictureOptions::parse();
    let mut command = CommandBuilder::from_argv(options.program.iter().map(Into::into).collect());
    command.env("TERM", "xterm-256color");
    command.env("PODTAP_THEME", "ansi");
    let mut terminal = Pty::start(command, options.columns, ROWS)?;
    let enough = |screen: &str| listed_total(screen).is_some_and(|events| events >= options.events);
    wait_until(&terminal, enough)?;
    for key in options.keys.split_whitespace() {
        terminal.keys(match key {
            "enter" => "\r",
            "esc" => "\x1b",
            key => key,
        })?;
        // Without a pause, two keys could be read as one escape sequence.
        std::thread::sleep(LOOK_EVERY);
    }
    let is_there = |screen: &str| options.then.iter().all(|text| screen.contains(text));
    wait_until(&terminal, is_there)?;
    std::thread::sleep(SETTLES_WITHIN);
    // The screen may have changed meanwhile.
    wait_until(&terminal, is_there)?;
    for (palette, page) in [(Palette::DARK, "dark"), (Palette::LIGHT, "light")] {
        let file = format!("{}-{page}.svg", options.output.display());
        std::fs::write(file, terminal.picture(&palette, TITLE))?;
    }
    // The program removes its files only if it can end by itself.
    terminal.keys("\x03")?;
    for _ in 0..LOOKS {
        if terminal.exit_status()?.is_some() {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Returns the total at the end of the list's first line.
fn listed_total(screen: &str) -> Option<u64> {
    let (title, _) = screen.split_once('╮')?;
    title.trim_end().rsplit(' ').next()?.parse().ok()
}

fn wait_until(terminal: &Pty, is_shown: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        if is_shown(&terminal.text()) {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    bail!("waited in vain; the screen is:\n{}", terminal.text())
}
