//! Turns the screen of a terminal into a picture for the documentation.

mod glyph;
mod svg;

pub use svg::{Palette, svg};
