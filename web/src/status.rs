//! Returns the state of the link and of the local service.

use podtap_agent::AgentHandle;
use podtap_agent::export::shown::ShownStatus;

use crate::answer::{PageAnswer, json};

pub(crate) fn now(handle: &AgentHandle) -> PageAnswer {
    json(&ShownStatus::from(&*handle.status().borrow()))
}
