//! Holds what all sessions of one owner share: places and memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use podtap_wire::limits::MAX_HEADER_BYTES;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::budget::{OwnerShare, SessionBudget};
use crate::config::Limits;

/// Bytes that a read of the queue may return in addition to its largest event.
pub(super) const READ_BYTES: usize = 1024 * 1024;

/// Accounts of the owners that have sessions.
#[derive(Debug)]
pub(super) struct Accounts {
    max_sessions: usize,
    sending: SessionBudget,
    receiving: SessionBudget,
    known: Mutex<HashMap<String, Weak<OwnerAccount>>>,
}

/// Account of one owner.
#[derive(Debug)]
pub(super) struct OwnerAccount {
    places: Arc<Semaphore>,
    /// Memory for events that are being sent to the owner's agents.
    pub(super) sending: OwnerShare,
    /// Memory for answers that the owner's agents are sending.
    pub(super) receiving: OwnerShare,
}

impl Accounts {
    pub(super) fn new(limits: &Limits) -> Self {
        let event = limits.max_body_bytes + READ_BYTES;
        // A third of the memory is for incoming answers, which arrive irregularly and leave
        // memory at once.
        let receiving = limits.max_session_memory / 3;
        let sending = limits.max_session_memory - receiving;
        Self {
            max_sessions: limits.max_owner_sessions,
            sending: SessionBudget::new(sending, event),
            receiving: SessionBudget::new(receiving, max_answer_bytes(limits)),
            known: Mutex::default(),
        }
    }

    /// Returns the account of an owner.
    pub(super) fn of(&self, owner: &str) -> Arc<OwnerAccount> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = known.get(owner).and_then(Weak::upgrade) {
            return account;
        }
        known.retain(|_, account| account.strong_count() > 0);
        let account = Arc::new(OwnerAccount {
            places: Arc::new(Semaphore::new(self.max_sessions)),
            sending: self.sending.share(),
            receiving: self.receiving.share(),
        });
        known.insert(owner.to_owned(), Arc::downgrade(&account));
        account
    }
}

impl OwnerAccount {
    /// Returns a place for one more session, if there is one.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

/// Returns the maximum size of a message of an agent that sends answers.
pub(super) fn max_answer_bytes(limits: &Limits) -> usize {
    size_of::<u32>() + MAX_HEADER_BYTES + limits.max_response_bytes
}
