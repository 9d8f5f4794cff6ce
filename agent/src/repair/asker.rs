//! Asks Podio one question after another, as long as
//! calls are left, and collects what could not be asked.

use std::future::Future;

use podtap_podio::client::{self, Client};

use super::purse::{CallClass, Purse};
use crate::history::HistoryError;
use crate::reason;

/// Maximum number of reasons that are reported one by one.
const MAX_REASONS: usize = 20;

/// Asks Podio for one repair.
#[derive(Debug)]
pub(super) struct PodioAsker<'a> {
    pub(super) client: &'a Client,
    purse: Purse,
    /// What was left out, and why.
    pub(super) unfinished: Vec<String>,
}

/// Why no more questions are possible.
pub(super) enum Halt {
    Stopped(String),
    History(HistoryError),
}

impl From<HistoryError> for Halt {
    fn from(error: HistoryError) -> Self {
        Self::History(error)
    }
}

impl<'a> PodioAsker<'a> {
    pub(super) fn new(client: &'a Client, purse: Purse) -> Self {
        Self {
            client,
            purse,
            unfinished: Vec::new(),
        }
    }

    /// Makes one call, if enough calls are left.
    pub(super) async fn ask<T>(
        &mut self,
        class: CallClass,
        call: impl Future<Output = Result<T, client::Error>>,
    ) -> Result<Result<T, client::Error>, Halt> {
        if let Some(rate) = self.purse.blocking_limit(class) {
            return Err(Halt::Stopped(format!(
                "stopped with {} of {} API calls left this hour: a fifth is reserved for other \
                 uses",
                rate.remaining, rate.limit
            )));
        }
        let answer = call.await;
        if let Some(rate) = self.client.rate_limit() {
            self.purse.note(class, rate);
        }
        match answer {
            Err(error @ client::Error::RateLimited { .. }) => {
                Err(Halt::Stopped(reason::of_podio(&error)))
            }
            answer => Ok(answer),
        }
    }

    pub(super) fn leave_out(&mut self, what: &str, error: &client::Error) {
        let why = match error.refusal() {
            Some(refusal) => refusal.to_string(),
            None => reason::of_podio(error),
        };
        self.note(format!("{what}: {why}"));
    }

    pub(super) fn note(&mut self, why: String) {
        if self.unfinished.len() < MAX_REASONS {
            self.unfinished.push(why);
        }
    }
}
