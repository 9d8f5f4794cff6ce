//! What the UI needs to know: complete and checked before it gets here.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use podtap_agent::Status;
use podtap_agent::history::Saved;
use tokio::sync::watch;

use crate::env::Env;
use crate::keymap::Keymap;
use crate::theme::Theme;
use crate::web_page::WebLink;

/// How the UI looks and behaves.
#[derive(Debug, Clone)]
pub struct UiConfig {
    /// The colours; [`Theme::Monochrome`] under `NO_COLOR`.
    pub theme: Theme,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// Which key does what.
    pub keymap: Keymap,
    /// The filters that have names.
    pub filters: Saved,
    /// Whether the mouse is captured; text selection then needs shift in most terminals.
    pub mouse: bool,
    /// The tunnel whose history this is, where no link tells.
    pub tunnel: Option<String>,
    /// The web page that is served beside the UI.
    pub web: Option<WebLink>,
    /// The shell command of the person's editor, to which the file's path is added.
    pub editor: String,
    /// Variables that hold secrets: neither the editor nor the browser gets them.
    pub secrets: Vec<String>,
    /// Whether the terminal is one of tmux's, which wants its clipboard asked for in its own way.
    pub tmux: bool,
    /// What is to be written to the terminal beside frames, each time that it changes: a bell, or a
    /// notice.
    pub rings: Option<watch::Receiver<String>>,
    /// Whether the person sits at another machine (SSH), so that a browser here is not theirs.
    pub remote: bool,
}

impl Default for UiConfig {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            zone: TimeZone::UTC,
            keymap: Keymap::default(),
            filters: Saved::default(),
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
    /// How everything is drawn at `now`.
    pub(crate) fn env(&self, now: Timestamp) -> Env<'_> {
        Env {
            theme: self.theme,
            keymap: &self.keymap,
            zone: &self.zone,
            now,
        }
    }

    /// What the tunnel is called.
    pub(crate) fn tunnel_name<'a>(&'a self, status: &'a Status) -> &'a str {
        let named = status.tunnel.as_ref().or(self.tunnel.as_ref());
        named.map_or("history", String::as_str)
    }
}
