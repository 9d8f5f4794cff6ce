//! Formats lines for this reader: colours if they are wanted, times in the reader's zone.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::printable::printable;

/// The meaning of a piece of a line, shown by its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
}

impl Tone {
    /// Returns the tone of a response with this status.
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Good,
            100..=399 => Self::Plain,
            400..=499 => Self::Doubtful,
            _ => Self::Bad,
        }
    }

    fn style(self) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Plain => Style::new(),
            Self::Good => colour(AnsiColor::Green),
            Self::Doubtful => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red).bold(),
        }
    }
}

/// Returns the text in the colour of its tone if `coloured`. Hostile characters are made visible.
pub(crate) fn paint(coloured: bool, tone: Tone, text: &str) -> String {
    let text = printable(text);
    if !coloured || tone == Tone::Plain {
        return text;
    }
    let style = tone.style();
    format!("{style}{text}{style:#}")
}

/// A line that is safe for the terminal: every piece
/// is printable, and only Podtap's colours are in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct StyledLine(String);

impl StyledLine {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the lines of this run look.
#[derive(Debug, Clone)]
pub(crate) struct LineStyle {
    pub(crate) zone: TimeZone,
    pub(crate) coloured: bool,
}

impl LineStyle {
    /// Joins pieces into a line.
    pub(crate) fn line(&self, pieces: &[(Tone, &str)]) -> StyledLine {
        let mut line = String::new();
        for (tone, text) in pieces {
            // Writing to a string cannot fail.
            let _ = write!(line, "{}", paint(self.coloured, *tone, text));
        }
        StyledLine(line)
    }

    /// Returns a line without colours.
    pub(crate) fn plain(&self, text: &str) -> StyledLine {
        self.line(&[(Tone::Plain, text)])
    }

    /// Returns the time of day in the reader's zone, to the millisecond.
    pub(crate) fn clock(&self, time: Timestamp) -> String {
        self.time("%H:%M:%S%.3f", time)
    }

    /// Formats a time in the reader's zone by the `strftime` format `form`.
    pub(crate) fn time(&self, form: &str, time: Timestamp) -> String {
        let local = time.to_zoned_datetime(self.zone.clone());
        local.strftime(form).to_string()
    }

    /// Returns whether both times are on the same day in the reader's zone.
    pub(crate) fn is_same_day(&self, one: Timestamp, other: Timestamp) -> bool {
        self.time("%F", one) == self.time("%F", other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_ours_alone() {
        let look = |coloured| LineStyle {
            zone: TimeZone::UTC,
            coloured,
        };
        let line = |coloured| {
            let pieces = [(Tone::Plain, "a\x1b[31m  "), (Tone::Bad, "✗\x1b[0m")];
            look(coloured).line(&pieces).as_str().to_owned()
        };
        assert_eq!(line(false), "a␛[31m  ✗␛[0m");
        assert_eq!(line(true), "a␛[31m  \x1b[1m\x1b[31m✗␛[0m\x1b[0m");
    }
}
