//! The handle's access to the figures that screens show beside the list: see [`crate::figures`].

use jiff::Timestamp;
use podtap_podio::ObjectRef;
use podtap_podio::client::CallBudget;

use super::AgentHandle;
use crate::figures::{self, AnswerTimes, Minute, QuietChain, QuietFacts, Timeline, Traffic};
use crate::history::HistoryError;

impl AgentHandle {
    /// Returns, for each hook and event type of the last 24 hours: calls, failures, answer times,
    /// calls per minute, and the distance to Podio's limits. Replays, triggers and imports do not
    /// count. Works with and without a link; cheap enough to call once per second.
    pub async fn traffic(&self) -> Result<Traffic, HistoryError> {
        self.figures.traffic(Timestamp::now()).await
    }

    /// Returns a histogram of the answer times of the local service
    /// for the newest 20,000 deliveries of the last 24 hours. Replays,
    /// triggers and imports do not count, whatever their target.
    pub async fn answer_times(&self) -> Result<AnswerTimes, HistoryError> {
        self.figures.answer_times(Timestamp::now()).await
    }

    /// Returns the state of the link and the local service in each of the last 60 minutes, oldest
    /// first, including the current minute. The agent that has the link keeps it in memory; without
    /// a link, nothing is known.
    pub fn past_hour(&self) -> Vec<Minute> {
        self.figures.past_hour(Timestamp::now())
    }

    /// Returns what happened to one object, according to the history; costs no call. Contains at
    /// most the newest [`MAX_TIMELINE`](crate::figures::MAX_TIMELINE) events.
    pub async fn timeline(&self, object: ObjectRef) -> Result<Timeline, HistoryError> {
        self.figures.timeline(object).await
    }

    /// Returns how many calls of Podio's API are left this hour, and when there are more again;
    /// `None` before Podio has reported it. Costs no call.
    pub async fn api_budget(&self) -> Option<CallBudget> {
        self.hook_admin.client.budget().await
    }

    /// Returns the path of a webhook, step by step, and where it breaks. Costs no call: what Podio
    /// was not asked is reported as unknown.
    pub async fn why_quiet(&self) -> Result<QuietChain, HistoryError> {
        let newest = self.hook_admin.watched.newest_relayed().await?;
        let status = self.status.borrow().clone();
        let made = self.hook_reports.borrow().clone();
        let url = status.public_url.as_deref();
        let listed = self.hook_admin.known.all();
        Ok(figures::chain(&QuietFacts {
            uncallable: url.and_then(|url| self.check_hook_url(url).err()),
            has_credentials: self.hook_admin.client.has_credentials(),
            status: &status,
            made: &made,
            listed: listed.as_deref(),
            newest,
        }))
    }
}
