//! The example service that `podtap demo` delivers to.

mod service;

pub(crate) use service::SampleService;
