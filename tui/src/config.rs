//! The settings of the UI. They are complete and valid when the UI receives them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use podtap_agent::Status;
use podtap_agent::history::SavedFilters;
use tokio::sync::watch;

use crate::env::Env;
use crate::keymap::Keymap;
use crate::theme::Theme;
use crate::web_page::WebLink;

/// The settings of appearance and behaviour.
#[derive(Debug, Clone)]
pub struct UiConfig {
    /// The colours; [`Theme::Monochrome`] under `NO_COLOR`.
    pub theme: Theme,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// Which key does what.
    pub keymap: Keymap,
    /// The filters that have a name.
    pub filters: SavedFilters,
    /// Whether the mouse is captured; text selection then needs shift in most terminals.
    pub mouse: bool,
    /// The tunnel whose history is shown, if the agent's status has no tunnel.
    pub tunnel: Option<String>,
    /// The web page that is served beside the UI.
    pub web: Option<WebLink>,
    /// The shell command of the person's editor, to which the file's path is added.
    pub editor: String,
    /// Names of the variables that hold secrets. Neither the editor nor the browser gets them.
    pub secrets: Vec<String>,
    /// Whether the terminal belongs to tmux, which needs a different
    /// sequence to reach the clipboard.
    pub tmux: bool,
    /// Sequences to write to the terminal between frames, such as a bell or a notification.
    /// Each change of the value is written.
    pub rings: Option<watch::Receiver<String>>,
    /// Whether the person works from another machine (SSH), so that a
    /// browser on this one is not theirs.
    pub remote: bool,
}

impl Default for UiConfig {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            zone: TimeZone::UTC,
            keymap: Keymap::default(),
            filters: SavedFilters::default(),
            mouse: true,
            tunnel: None,
            web: None,
            editor: "vi".to_owned(),
            secrets: Vec::new(),
            tmux: false,
            rings: None,
            remote: false,
        }
    }
}

impl UiConfig {
    /// Returns what every view needs to draw at `now`.
    pub(crate) fn env(&self, now: Timestamp) -> Env<'_> {
        Env {
            theme: self.theme,
            keymap: &self.keymap,
            zone: &self.zone,
            now,
        }
    }

    /// Returns the name of the tunnel.
    pub(crate) fn tunnel_name<'a>(&'a self, status: &'a Status) -> &'a str {
        let named = status.tunnel.as_ref().or(self.tunnel.as_ref());
        named.map_or("history", String::as_str)
    }
}
