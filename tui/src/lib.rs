//! Podtap's terminal UI: browse, explain and replay the events of the
//! history while new ones arrive.
//!
//! [`run`] is the entry point. `App` has all state; its `update` takes a message and returns
//! effects as data, `view` draws and changes nothing, and only [`runtime`] and `executor` wait. The
//! UI reads and commands an agent through its handle. It knows nothing of sockets, of the protocol,
//! or of how the history is stored.

#[cfg(test)]
mod alignment;
mod app;
mod archive;
mod changes;
mod chart;
mod clipboard;
mod clusters;
mod command;
mod compare;
mod config;
mod copy;
mod detail;
mod edit;
pub mod editor;
mod effect;
mod env;
mod error_text;
mod event_name;
mod executor;
mod explain;
mod faults;
mod figures;
mod footer;
mod frame;
mod generation;
mod header;
pub mod headless;
mod health;
mod hooks;
mod input;
mod keymap;
mod layout;
mod line;
mod list;
mod loops;
mod message;
mod modal;
mod mouse;
mod names;
mod notes;
mod panes;
mod paragraph;
mod pause;
#[cfg(test)]
mod properties;
mod pulses;
mod rate;
mod repair;
mod replay;
pub mod runtime;
mod safe_text;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod scenes_hooks;
mod search;
mod seat;
#[cfg(test)]
mod snapshot;
mod target;
mod terminal;
#[cfg(test)]
mod testing;
mod theme;
mod timeline;
mod toast;
mod trigger;
mod tunnels;
mod view;
mod web_page;
mod why;
mod widget;
mod words;
mod wrap;

use podtap_agent::AgentHandle;
use tokio_util::sync::CancellationToken;

pub use config::UiConfig;
pub use keymap::{
    Action, Binding, Context, KeyOverride, KeyPress, Keymap, KeymapError, UnknownKey,
};
pub use runtime::{Screen, SeveralTunnels, UiError};
pub use safe_text::SafeText;
pub use theme::{Role, Theme};
pub use web_page::WebLink;

/// Runs the UI on this process's terminal until a person quits or `token` is cancelled. Always
/// restores the terminal afterwards.
///
/// # Errors
/// If the terminal cannot be used.
pub async fn run(
    handle: AgentHandle,
    config: UiConfig,
    token: CancellationToken,
) -> Result<(), UiError> {
    let mut screen = terminal::TerminalScreen::take(&config).map_err(UiError::Terminal)?;
    runtime::run(&mut screen, handle, config, token).await
}

/// Runs the UI for several tunnels, of which one at a time is on the screen.
///
/// # Errors
/// If the terminal cannot be used.
pub async fn run_several(
    tunnels: SeveralTunnels,
    config: UiConfig,
    token: CancellationToken,
) -> Result<(), UiError> {
    let mut screen = terminal::TerminalScreen::take(&config).map_err(UiError::Terminal)?;
    runtime::run_several(&mut screen, tunnels, config, token).await
}
