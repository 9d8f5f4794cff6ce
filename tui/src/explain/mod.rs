//! What Podio knows of an event.

mod browser;
mod effect;

pub(crate) use effect::{ExplainAnswer, ExplainEffect, run};
