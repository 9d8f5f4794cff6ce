//! Relays that share a PostgreSQL database, which is removed at the end of the test.

pub(crate) use podtap_testing::DatabaseServer;

use super::{Relay, Stage};

/// A stage whose relays share a database.
pub(crate) struct SharedStage {
    pub(crate) stage: Stage,
    pub(crate) server: DatabaseServer,
    /// The URL of the database.
    pub(crate) database: String,
}

impl SharedStage {
    /// Starts the database; returns `None`, after a message, if a program is missing.
    pub(crate) fn new() -> Option<Self> {
        let server = DatabaseServer::start(&[])?;
        let database = server.database();
        let database = server.url(&database);
        Some(Self {
            stage: Stage::new(),
            server,
            database,
        })
    }

    /// Starts another relay.
    pub(crate) async fn relay(&self, listen: &str, public_url: Option<&str>) -> Relay {
        let mut options = vec!["--database", &self.database];
        options.extend(public_url.into_iter().flat_map(|url| ["--public-url", url]));
        self.stage.relay_with(listen, &options).await
    }

    /// Creates a token for `ann`.
    pub(crate) fn token(&self) -> String {
        // From a machine on which no relay has run.
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
