//! The parts that stand in for the world in `podtap demo`: a source of Podio's webhooks and a local
//! service that answers them. Both speak real HTTP on loopback; nothing of Podtap is skipped.

mod service;
mod source;

pub(crate) use service::SampleService;
pub(crate) use source::Source;
