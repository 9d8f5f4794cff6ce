//! Events sent to the local service again.

mod effect;

pub(crate) use effect::{ReplayAnswer, ReplayEffect, run};
