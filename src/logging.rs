//! Where the log goes: stderr, or a file while the terminal UI has the screen.

use std::fs::OpenOptions;
use std::io::IsTerminal as _;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;

use crate::config::{Key, Settings};
use crate::failure::Failure;

/// Starts logging for the whole process.
pub(crate) fn start(settings: &Settings, screen_is_taken: bool) -> Result<(), Failure> {
    let by_verbosity = match settings.verbose() {
        0 => "warn",
        1 => "warn,podtap=info,podtap_relay=info,podtap_agent=info,podtap_podio=info",
        2 => "info,podtap=debug,podtap_relay=debug,podtap_agent=debug,podtap_podio=debug",
        _ => "trace",
    };
    let wish = settings
        .text(Key::LOG)
        .or_else(|| settings.environment().get("RUST_LOG"));
    let filter = EnvFilter::try_new(wish.unwrap_or(by_verbosity)).map_err(|error| {
        Failure::usage("the log filter cannot be read").fact("why", error.to_string())
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    if screen_is_taken {
        let dir = settings.data_dir()?;
        let path = dir.join("podtap.log");
        let opened = std::fs::create_dir_all(&dir)
            .and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
        let file = opened.map_err(|error| {
            Failure::because("the log file cannot be written", &error)
                .fact("file", path.display().to_string())
                .hint("name a folder that can be written with --data-dir")
        })?;
        subscriber
            .with_ansi(false)
            .with_writer(Mutex::new(file))
            .init();
    } else {
        let colour = settings.colour(std::io::stderr().is_terminal())?;
        subscriber
            .with_ansi(colour)
            .with_writer(std::io::stderr)
            .init();
    }
    Ok(())
}
