//! Relays that share a PostgreSQL database, which is gone at the end of the test.

#[path = "../../../relay/src/postgres/tests/server.rs"]
mod server;

use super::port;

pub(crate) use self::server::Server;
use super::{Relay, Stage};

/// A stage whose relays share a database.
pub(crate) struct Shared {
    pub(crate) stage: Stage,
    pub(crate) server: Server,
    /// Its URL.
    pub(crate) database: String,
}

impl Shared {
    /// None where a program is missing, which says so.
    pub(crate) fn new() -> Option<Self> {
        let server = Server::start(&[])?;
        let database = server.database();
        let database = server.url(&database);
        Some(Self {
            stage: Stage::new(),
            server,
            database,
        })
    }

    /// One more relay.
    pub(crate) async fn relay(&self, listen: &str, public_url: Option<&str>) -> Relay {
        let mut options = vec!["--database", &self.database];
        options.extend(public_url.into_iter().flat_map(|url| ["--public-url", url]));
        self.stage.relay_with(listen, &options).await
    }

    /// A token for `ann`.
    pub(crate) fn token(&self) -> String {
        // From a machine that has never seen a relay.
        let args = [
            "relay",
            "token",
            "create",
            "ann",
            "--database",
            &self.database,
        ];
        self.stage.succeed(&args).trim().to_owned()
    }
}
