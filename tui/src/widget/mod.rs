//! Widgets that features use in their windows: lines to read, a form, and the cursor of a table.

pub(crate) mod cursor;
pub(crate) mod form;
pub(crate) mod lines;
