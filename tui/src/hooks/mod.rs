//! The hooks as Podio has them.

mod effect;

pub(crate) use effect::{HookChange, HooksAnswer, HooksEffect, run};
