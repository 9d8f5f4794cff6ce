//! How the log is written.

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;

/// How a line of the log looks.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line, for what collects logs.
    Json,
}

impl Settings {
    /// How the lines of the log look.
    pub(crate) fn log_format(&self) -> Result<LogFormat, Failure> {
        let format = self.with(Key::LOG_FORMAT, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("text or json"),
        })?;
        Ok(format.unwrap_or_default())
    }
}
