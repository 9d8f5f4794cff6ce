//! Windows of which features make their own: lines to read, a form to fill in, and the
//! cursor of a table.

pub(crate) mod cursor;
pub(crate) mod form;
pub(crate) mod lines;
