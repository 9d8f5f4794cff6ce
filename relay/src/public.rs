//! What the public listener answers: each request to its part.

use std::net::IpAddr;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::admin::Admin;
use crate::ingest::{Ingest, Refusal};
use crate::peer::TrustedProxies;
use crate::route::Route;
use crate::server::{Answer, Handler};
use crate::session::Sessions;

/// The parts that the world can reach.
#[derive(Debug)]
pub(crate) struct Public {
    pub(crate) ingest: Ingest,
    pub(crate) sessions: Sessions,
    pub(crate) admin: Admin,
    pub(crate) proxies: TrustedProxies,
}

impl Handler for Public {
    async fn handle(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Answer> {
        let peer = self.proxies.sender(peer, request.headers());
        match Route::of(request.uri()) {
            Route::Ingest { key, path } => self.ingest.accept(key, path, peer, request).await,
            Route::Connect => self.sessions.connect(request, peer).await,
            Route::Live => Admin::live(),
            Route::Ready => self.admin.ready(),
            Route::NotFound => self.ingest.refuse(Refusal::UnknownTunnel, request).await,
        }
    }
}
