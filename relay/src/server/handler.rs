//! What a listener needs of the part that answers its requests.

use std::net::IpAddr;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::answer::HttpAnswer;

/// Answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The answer to one request. May be dropped when the connection goes away.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> impl Future<Output = Response<HttpAnswer>> + Send;
}
