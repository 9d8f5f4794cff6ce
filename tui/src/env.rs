//! What every view needs to draw, whatever it shows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::keymap::Keymap;
use crate::theme::Theme;

/// How things are drawn: passed by value to each view, beside what it shows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Env<'a> {
    /// The colours.
    pub(crate) theme: Theme,
    /// The keys, for hints.
    pub(crate) keymap: &'a Keymap,
    /// The zone of every time on the screen.
    pub(crate) zone: &'a TimeZone,
    /// The time at the last tick.
    pub(crate) now: Timestamp,
}
