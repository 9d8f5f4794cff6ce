//! How the agent is.

mod effect;

pub(crate) use effect::{HealthAnswer, HealthEffect, run};
