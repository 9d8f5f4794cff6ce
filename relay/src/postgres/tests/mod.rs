//! Runs the conformance suites on relays that share a database, and tests what only these
//! relays do.

mod shared;
mod tls;
mod words;

use podtap_testing::DatabaseServer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use podtap_wire::TunnelKey;

use crate::database::DatabaseUrl;
use crate::database::postgres::Postgres;
use crate::metrics::Metrics;
use crate::queue::conformance::{Bench, conformance};
use crate::queue::{EngineLimits, Queue, TunnelId};
use crate::store::Store;
use crate::store::conformance::{StoreBench, store_conformance};
use crate::tunnel::registry::{TunnelGrant, TunnelRequest};

/// Returns the server that all tests of this process share. Each test has its own database.
fn shared_server() -> Option<&'static DatabaseServer> {
    static SHARED: OnceLock<Option<DatabaseServer>> = OnceLock::new();
    let start = || DatabaseServer::start(&["-c", "fsync=off", "-c", "max_connections=1000"]);
    SHARED.get_or_init(start).as_ref()
}

/// A relay with its own database.
pub(super) struct Pg {
    database: Postgres,
    limits: EngineLimits,
    store: Store,
}

impl Pg {
    pub(super) async fn open(limits: EngineLimits) -> Self {
        let server = shared_server().unwrap();
        let url = server.url(&server.database());
        Self::at(&url.parse().unwrap(), limits).await
    }

    async fn at(url: &DatabaseUrl, limits: EngineLimits) -> Self {
        Self::over(Postgres::open(url).await.unwrap(), limits).await
    }

    async fn over(database: Postgres, limits: EngineLimits) -> Self {
        let metrics = Arc::new(Metrics::new());
        let store = Store::postgres(&database, limits.clone(), metrics).await;
        Self {
            store: store.unwrap(),
            database,
            limits,
        }
    }

    /// Returns another relay on the same database.
    pub(super) async fn beside(&self) -> Self {
        Self::over(self.database.clone(), self.limits.clone()).await
    }
}

impl Bench for Pg {
    fn is_available() -> bool {
        shared_server().is_some()
    }

    async fn new(limits: EngineLimits) -> Self {
        Self::open(limits).await
    }

    fn queue(&self) -> Arc<dyn Queue> {
        Arc::clone(&self.store.queue)
    }

    async fn tunnel_of(&self, owner: &str) -> TunnelId {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let request = TunnelRequest {
            owner: owner.to_owned(),
            name: format!("tunnel-{number}").parse().unwrap(),
            epoch: None,
            fresh: TunnelKey::generate().unwrap(),
            max_tunnels: 1000,
        };
        match self.store.registry.want_tunnel(request).await.unwrap() {
            TunnelGrant::Found { id, .. } => id,
            TunnelGrant::TooMany => panic!("too many tunnels"),
        }
    }

    async fn delete(&self, tunnel: TunnelId) {
        let client = self.database.client().await.unwrap();
        let delete = "DELETE FROM podtap_tunnels WHERE id = $1";
        client.execute(delete, &[&tunnel.0]).await.unwrap();
    }

    async fn restart(self) -> Self {
        // The store is dropped without being closed: everything that was answered is already in
        // the database.
        let Self {
            database,
            limits,
            store,
        } = self;
        drop(store);
        Self::over(database, limits).await
    }
}

/// The same for the suites of the other parts of the store.
struct PgStore(Pg);

impl StoreBench for PgStore {
    fn is_available() -> bool {
        shared_server().is_some()
    }

    async fn new() -> Self {
        let limits = EngineLimits::from(&crate::config::Limits::default());
        Self(Pg::open(limits).await)
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    async fn restart(self) -> Self {
        Self(self.0.restart().await)
    }
}

mod queue {
    use super::*;

    conformance!(Pg);
}

mod beside {
    use super::*;

    store_conformance!(PgStore);
}
