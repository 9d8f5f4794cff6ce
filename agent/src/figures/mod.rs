//! What a screen draws beside the list: answer times, calls per hook, the last hour, the timeline of
//! one object, the API's budget, and why nothing arrives. Plain data with its units, each answer
//! bounded; [`AgentHandle`](crate::AgentHandle) hands them out, and nothing in here is drawn.

mod answer_times;
mod past_hour;
mod quiet;
mod recent;
mod timeline;
mod traffic;

pub use answer_times::{AnswerTimes, Bucket};
pub use past_hour::{Minute, MinuteState};
pub(crate) use past_hour::{PastHour, Recorder};
pub use quiet::{ChainLink, Holds, QuietChain, Step};
pub(crate) use quiet::{Known, chain};
pub(crate) use recent::Recent;
pub(crate) use timeline::Timelines;
pub use timeline::{Author, MAX_TIMELINE, Timeline, TimelineEntry, TimelineEvent};
pub use traffic::{Distance, HookTraffic, Limits, MAX_TRAFFIC, MINUTES, Traffic};
