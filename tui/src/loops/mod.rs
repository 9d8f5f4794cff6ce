//! Objects that are held because of a loop.

mod effect;

use podtap_podio::ObjectRef;

pub(crate) use effect::{LoopsAnswer, LoopsEffect, run};

use crate::theme::Role;

/// What came of letting an object go, in words.
pub(crate) fn release_notice(object: ObjectRef, result: Result<bool, String>) -> (Role, String) {
    match result {
        Ok(true) => (
            Role::Ok,
            format!("New events of {object} are delivered again"),
        ),
        Ok(false) => (
            Role::Quiet,
            format!("{object} is in no loop: nothing of it is held back"),
        ),
        Err(error) => (Role::Failed, error),
    }
}
