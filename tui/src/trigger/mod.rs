//! Events that Podio did not send.

mod effect;
mod more;
mod offer;

pub(crate) use effect::{TriggerAnswer, TriggerEffect, run};
pub(crate) use offer::{LastSent, Offer, PARAMETER};
