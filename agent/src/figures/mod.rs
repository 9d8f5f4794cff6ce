//! Computes what screens show beside the list: answer times, calls per hook,
//! the last hour, the timeline of one object, the API's budget, and why
//! nothing arrives. The results are plain, bounded data with units, available
//! from [`AgentHandle`](crate::AgentHandle); nothing is drawn here.

mod answer_times;
mod past_hour;
mod quiet;
mod recent;
mod shown_timeline;
mod timeline;
mod traffic;
mod window;

use jiff::Timestamp;
use podtap_podio::ObjectRef;
use tokio::sync::{broadcast, watch};

use crate::change::Change;
use crate::explain::Explainer;
use crate::history::HistoryError;
use crate::standing::Standings;
use crate::status::Status;
pub use answer_times::{AnswerTimes, Bucket};
pub(crate) use past_hour::HourRecorder;
use past_hour::PastHour;
pub use past_hour::{Minute, MinuteState};
pub use quiet::{ChainLink, DOCTOR, Holds, QuietChain, QuietStep};
pub(crate) use quiet::{QuietFacts, chain};
use recent::Recent;
pub use shown_timeline::ShownTimeline;
use timeline::Timelines;
pub use timeline::{Author, MAX_TIMELINE, Timeline, TimelineEntry, TimelineEvent};
pub use traffic::{Distance, HookLimits, HookTraffic, MAX_TRAFFIC, MINUTES, Traffic};

/// The sources of all figures. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    recent: Recent,
    past_hour: PastHour,
    timelines: Timelines,
}

impl Figures {
    pub(crate) fn new(explainer: Explainer, standings: Standings) -> Self {
        Self {
            recent: Recent::new(explainer.watched.clone(), standings),
            past_hour: PastHour::default(),
            timelines: Timelines {
                history: explainer.history.clone(),
                explainer,
            },
        }
    }

    pub(crate) async fn traffic(&self, now: Timestamp) -> Result<Traffic, HistoryError> {
        self.recent.traffic(now).await
    }

    pub(crate) async fn answer_times(&self, now: Timestamp) -> Result<AnswerTimes, HistoryError> {
        self.recent.answer_times(now).await
    }

    pub(crate) fn past_hour(&self, now: Timestamp) -> Vec<Minute> {
        self.past_hour.minutes(now)
    }

    pub(crate) async fn timeline(&self, object: ObjectRef) -> Result<Timeline, HistoryError> {
        self.timelines.of(object).await
    }

    /// Returns the task that records the last hour.
    pub(crate) fn recorder(
        &self,
        status: watch::Receiver<Status>,
        changes: broadcast::Receiver<Change>,
    ) -> HourRecorder {
        HourRecorder::new(self.past_hour.clone(), status, changes)
    }
}
