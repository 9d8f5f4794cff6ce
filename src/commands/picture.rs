//! Pictures of the real UI for the README: what somebody sees who watches the demo.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::AgentHandle;
use podtap_agent::history::{Filter, Saved};
use podtap_tui::picture::{Palette, frame, svg};
use podtap_tui::{Key, Theme};
use ratatui::layout::Size;
use tokio_util::sync::CancellationToken;

use crate::cli::Picture;
use crate::failure::Failure;

/// What a screen reader says.
const TITLE: &str = "Podtap: a list of Podio events, and the decoded detail of one";

/// Cells of the picture: a terminal as many have it open.
const SIZE: Size = Size::new(120, 32);

/// How often it is looked whether enough has happened.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until `events` are in the history, presses the keys asked for, and writes what is on the
/// screen.
pub(super) async fn draw(
    handle: AgentHandle,
    mut config: podtap_tui::Config,
    picture: Picture,
    file: PathBuf,
    events: u64,
    token: CancellationToken,
) -> Result<(), Failure> {
    config.theme = Theme::Ansi;
    let keys: Vec<Key> = picture
        .keys
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::because("no such key", &error))?;
    let palette = if picture.light {
        Palette::LIGHT
    } else {
        Palette::DARK
    };
    let enough = Filter::parse(
        "-type:hook.verify status:2xx",
        Timestamp::now(),
        &Saved::default(),
    )
    .map_err(|error| Failure::because("no filter", &error))?;
    while handle.history().count(enough.clone()).await? < events {
        tokio::select! {
            () = token.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
    let screen = frame(handle, config, SIZE, Timestamp::now(), &keys).await;
    std::fs::write(&file, svg(&screen, &palette, TITLE)).map_err(|error| {
        Failure::because("the picture cannot be written", &error)
            .fact("file", file.display().to_string())
    })
}
