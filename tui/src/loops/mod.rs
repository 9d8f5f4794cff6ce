//! Objects that are held because of a loop.

mod effect;

pub(crate) use effect::{LoopsAnswer, LoopsEffect, run};
