//! What stands in for the developer's own program in `podtap demo`.

mod service;

pub(crate) use service::SampleService;
