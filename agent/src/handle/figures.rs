//! The door to what screens draw beside the list: see [`crate::figures`].

use jiff::Timestamp;
use podtap_podio::ObjectRef;
use podtap_podio::client::CallBudget;

use super::AgentHandle;
use crate::figures::{self, AnswerTimes, Minute, QuietChain, QuietFacts, Timeline, Traffic};
use crate::history::HistoryError;

impl AgentHandle {
    /// For each hook and event type of the last 24 hours: calls, failures, answer times, calls per
    /// minute, and how far it is from Podio's limits. Replays, triggers and imports do not count.
    /// Works with and without a link; cheap enough for once a second.
    pub async fn traffic(&self) -> Result<Traffic, HistoryError> {
        self.figures.traffic(Timestamp::now()).await
    }

    /// How long the local service took for the newest 20,000 deliveries of the last 24 hours, as a
    /// histogram. Replays, triggers and imports do not count, wherever they went.
    pub async fn answer_times(&self) -> Result<AnswerTimes, HistoryError> {
        self.figures.answer_times(Timestamp::now()).await
    }

    /// The link and the local service in each of the last 60 minutes, oldest first; the last one is
    /// under way. Kept in memory by the agent that has the link: without one, nothing is known.
    pub fn past_hour(&self) -> Vec<Minute> {
        self.figures.past_hour(Timestamp::now())
    }

    /// What happened to one object, as the history has it: costs no call. At most
    /// [`MAX_TIMELINE`](crate::figures::MAX_TIMELINE) events, the newest.
    pub async fn timeline(&self, object: ObjectRef) -> Result<Timeline, HistoryError> {
        self.figures.timeline(object).await
    }

    /// How many calls of Podio's API are left this hour, and when there are more again; `None`
    /// before Podio has told it. Costs no call.
    pub async fn api_budget(&self) -> Option<CallBudget> {
        self.hook_admin.client.budget().await
    }

    /// The way of a webhook, link by link, and where it breaks. Costs no call: what nobody has
    /// asked Podio is told as unknown.
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
