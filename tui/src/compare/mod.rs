//! How two events, or two answers, differ.

mod effect;

pub(crate) use effect::{CompareAnswer, CompareEffect, run};
