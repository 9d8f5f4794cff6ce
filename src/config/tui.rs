//! The settings of the display: colours, the editor, keys, saved filters.

use std::io::IsTerminal as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use podtap_agent::history::SavedFilters;
use podtap_tui::Theme;

use super::key::Key;
use super::settings::Settings;
use crate::alarm::{AlarmKind, TerminalKind};
use crate::failure::Failure;
use crate::style::LineStyle;

impl Settings {
    /// Returns whether to colour a stream, given whether it is a terminal.
    pub(crate) fn colour(&self, terminal: bool) -> Result<bool, Failure> {
        let wish = self.with(Key::COLOR, |text| match text {
            "auto" => Ok(None),
            "always" => Ok(Some(true)),
            "never" => Ok(Some(false)),
            _ => Err("auto, always or never"),
        })?;
        let unset = || self.environment().colour(terminal);
        Ok(wish.flatten().unwrap_or_else(unset))
    }

    /// Returns the alarm for a failed delivery; `None` if none is set.
    pub(crate) fn notify(&self) -> Result<Option<AlarmKind>, Failure> {
        let variable = |name: &str| self.environment().get(name);
        let kind = self.with(Key::NOTIFY, |text| match text {
            "off" => Ok(None),
            "bell" => Ok(Some(AlarmKind::Bell)),
            "desktop" => Ok(Some(AlarmKind::Desktop(TerminalKind::of(variable)))),
            _ => Err("off, bell or desktop"),
        })?;
        Ok(kind.flatten())
    }

    /// Returns the style of the lines on stdout.
    pub(crate) fn line_style(&self) -> Result<LineStyle, Failure> {
        Ok(LineStyle {
            zone: TimeZone::system(),
            coloured: self.colour(std::io::stdout().is_terminal())?,
        })
    }

    /// Returns whether the terminal can print only lines.
    pub(crate) fn is_dumb(&self) -> bool {
        self.environment().get("TERM") == Some("dumb")
    }

    /// Returns the person's editor, as a shell command.
    pub(crate) fn editor(&self) -> String {
        let named = self
            .environment()
            .get("VISUAL")
            .or_else(|| self.environment().get("EDITOR"));
        named.unwrap_or("vi").to_owned()
    }

    /// Returns the colour theme of the terminal UI.
    pub(crate) fn theme(&self) -> Result<Theme, Failure> {
        let chosen = self.with(Key::THEME, |text| {
            Theme::from_name(text).ok_or("ansi, dark, light, high-contrast or monochrome")
        })?;
        Ok(if self.colour(true)? {
            chosen.unwrap_or_default()
        } else {
            Theme::Monochrome
        })
    }

    /// Returns the configuration of the terminal UI.
    pub(crate) fn tui(&self) -> Result<podtap_tui::UiConfig, Failure> {
        let theme = self.theme()?;
        let zone = TimeZone::system();
        Ok(podtap_tui::UiConfig {
            theme,
            zone,
            keymap: super::keys::keymap(&self.tables.keys)?,
            filters: self.filters(Timestamp::now())?,
            editor: self.editor(),
            secrets: Key::secret_variables(),
            tmux: self.environment().get("TMUX").is_some(),
            remote: self.environment().get("SSH_TTY").is_some(),
            mouse: self.switch(Key::MOUSE, true)?,
            ..podtap_tui::UiConfig::default()
        })
    }

    /// Returns the saved filters; their times are parsed relative to `now`.
    pub(crate) fn filters(&self, now: Timestamp) -> Result<SavedFilters, Failure> {
        super::filters::read_saved(&self.tables.filters, now)
    }
}
