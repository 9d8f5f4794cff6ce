//! Serves webhooks and health on the plain listener beside one with TLS. Podio calls port
//! 80 as well as 443; tokens must not be sent without TLS.

use std::net::IpAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use podtap_wire::{ConnectRefusal, RefusalKind};

use crate::answer::HttpAnswer;
use crate::public::Public;
use crate::route::RelayRoute;
use crate::server::Handler;
use crate::session::refuse;

/// Parts that may be reached without TLS.
#[derive(Debug)]
pub(crate) struct WebhooksOnly(pub(crate) Arc<Public>);

impl Handler for WebhooksOnly {
    async fn handle(&self, request: Request<Incoming>, peer: IpAddr) -> Response<HttpAnswer> {
        match RelayRoute::of(request.uri()) {
            RelayRoute::Connect | RelayRoute::Manage(_) => refuse(&ConnectRefusal {
                kind: RefusalKind::Malformed,
                message: "this port accepts only webhooks, because a token would be sent \
                     unencrypted: use the relay's https:// URL"
                    .to_owned(),
            }),
            _ => self.0.handle(request, peer).await,
        }
    }
}
