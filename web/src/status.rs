//! How the link and the local service are.

use podtap_agent::AgentHandle;
use podtap_agent::export::shown::ShownStatus;

use crate::answer::{PageAnswer, json};

pub(crate) fn now(handle: &AgentHandle) -> PageAnswer {
    json(&ShownStatus::from(&*handle.status().borrow()))
}
