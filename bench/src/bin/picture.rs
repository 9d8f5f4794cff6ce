//! Draws a picture of what a program shows on a terminal: `docs/pictures.sh` makes those of the
//! documentation with it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;
use podtap_bench::picture::Palette;
use podtap_bench::pty::{CommandBuilder, Pty};

/// What a screen reader says.
const TITLE: &str = "Podtap: a list of Podio events, and the decoded detail of one";

/// Rows: a terminal as many have it open.
const ROWS: u16 = 36;

/// How often the screen is looked at,
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// and how many times until it is given up: for two minutes.
const LOOKS: usize = 2_400;

/// How long a key may take to show what it does.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

#[derive(Debug, Parser)]
#[command(
    about = "Draws what a program shows on a terminal, once for dark and once for light pages"
)]
struct Options {
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
    let options = Options::parse();
    let mut command = CommandBuilder::from_argv(options.program.iter().map(Into::into).collect());
    command.env("TERM", "xterm-256color");
    command.env("PODTAP_THEME", "ansi");
    let mut terminal = Pty::start(command, options.columns, ROWS)?;
    let enough = |screen: &str| listed(screen).is_some_and(|events| events >= options.events);
    wait_until(&terminal, enough)?;
    for key in options.keys.split_whitespace() {
        terminal.keys(match key {
            "enter" => "\r",
            "esc" => "\x1b",
            key => key,
        })?;
        // A key that follows at once could be taken for a part of the one before it.
        std::thread::sleep(LOOK_EVERY);
    }
    let is_there = |screen: &str| options.then.iter().all(|text| screen.contains(text));
    wait_until(&terminal, is_there)?;
    std::thread::sleep(SETTLES_WITHIN);
    // Something else may have come meanwhile.
    wait_until(&terminal, is_there)?;
    for (palette, page) in [(Palette::DARK, "dark"), (Palette::LIGHT, "light")] {
        let file = format!("{}-{page}.svg", options.output.display());
        std::fs::write(file, terminal.picture(&palette, TITLE))?;
    }
    // It takes its files away only if it may end by itself.
    terminal.keys("\x03")?;
    for _ in 0..LOOKS {
        if terminal.ended()?.is_some() {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// The total that the list's first line ends in.
fn listed(screen: &str) -> Option<u64> {
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
