//! The format of the log.

use super::key::Key;
use super::settings::Settings;
use crate::failure::Failure;

/// The format of a log line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line, for log collectors.
    Json,
}

impl Settings {
    /// Returns the format of the log lines.
    pub(crate) fn log_format(&self) -> Result<LogFormat, Failure> {
        let format = self.with(Key::LOG_FORMAT, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("text or json"),
        })?;
        Ok(format.unwrap_or_default())
    }
}
