//! An event, or a part of it, into the person's clipboard.

mod effect;
pub(crate) mod menu;

pub(crate) use effect::{CopyAnswer, CopyEffect, run};
pub(crate) use menu::CopyForm;
