//! Runs the conformance suite of stores on the embedded engine.

use std::sync::Arc;

use tempfile::TempDir;

use super::Store;
use super::conformance::{StoreBench, store_conformance};
use crate::database::Database;
use crate::metrics::Metrics;
use crate::queue::EngineLimits;

/// A store in its own temporary folder.
struct Sqlite {
    folder: TempDir,
    store: Store,
}

impl Sqlite {
    fn open(folder: TempDir) -> Self {
        let database = Database::open(folder.path()).unwrap();
        let limits = EngineLimits::from(&crate::config::Limits::default());
        let store = Store::sqlite(database, limits, Arc::new(Metrics::new())).unwrap();
        Self { folder, store }
    }
}

impl StoreBench for Sqlite {
    async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> &Store {
        &self.store
    }

    async fn restart(self) -> Self {
        drop(self.store);
        Self::open(self.folder)
    }
}

store_conformance!(Sqlite);
