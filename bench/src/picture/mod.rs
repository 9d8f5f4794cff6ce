//! What a terminal shows, as a picture for the documentation.

mod glyph;
mod svg;

pub use svg::{Palette, svg};
