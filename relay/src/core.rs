//! What the parts of a running relay share: each has an `Arc` of it.

use std::sync::Arc;

use url::Url;

use crate::config::Limits;
use crate::ingest::Responders;
use crate::methods::Methods;
use crate::metrics::Metrics;
use crate::peer::TrustedProxies;
use crate::queue::Queue;
use crate::session::presence::Presence;
use crate::tunnel::directory::Directory;

/// The state of a relay.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) responders: Arc<Responders>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) proxies: TrustedProxies,
    pub(crate) methods: Methods,
    pub(crate) public_url: Url,
}
