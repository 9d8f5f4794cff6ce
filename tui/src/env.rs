//! The values that every view needs to draw.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::keymap::Keymap;
use crate::theme::Theme;

/// How to draw: passed by value to each view, beside the content.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Env<'a> {
    /// The colours.
    pub(crate) theme: Theme,
    /// The keys, for hints.
    pub(crate) keymap: &'a Keymap,
    /// The zone of every time on the screen.
    pub(crate) zone: &'a TimeZone,
    /// The time of the last tick.
    pub(crate) now: Timestamp,
}
