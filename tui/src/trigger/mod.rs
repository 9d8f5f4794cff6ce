//! Events that Podio did not send.

mod effect;

pub(crate) use effect::{TriggerAnswer, TriggerEffect, run};
