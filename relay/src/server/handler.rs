//! Defines what a listener needs from the part that answers its requests.

use std::net::IpAddr;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::answer::HttpAnswer;

/// Answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers one request. The future may be dropped when the connection ends.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> impl Future<Output = Response<HttpAnswer>> + Send;
}
