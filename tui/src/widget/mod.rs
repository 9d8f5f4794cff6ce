//! Windows of which features make their own: lines to read, and a form to fill in.

pub(crate) mod form;
pub(crate) mod lines;
