//! Lets the command line change tokens and tunnels, beside a running relay or without one.
//!
//! A running relay notices changes through the database itself; no signal is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use podtap_wire::{TunnelKey, TunnelName};

use super::error::TokenStoreError;
use super::info::{RevokedCounts, RotatedKey, TokenInfo, TunnelInfo};
use super::owner;
use super::registry::Registry;
use super::sqlite::SqliteRegistry;
use super::token::Token;
use crate::database::{DataFolderLock, Database};

/// The tokens and tunnels of a store.
#[derive(Debug)]
pub struct TokenStore {
    registry: Arc<dyn Registry>,
    /// Folder of an embedded database.
    folder: Option<PathBuf>,
}

impl TokenStore {
    /// Opens the folder's database, which is created if it is missing.
    pub fn open(data_dir: &Path) -> Result<Self, TokenStoreError> {
        let database = Database::open(data_dir)?;
        Ok(Self {
            registry: Arc::new(SqliteRegistry::beside(database)?),
            folder: Some(data_dir.to_owned()),
        })
    }

    /// Opens the folder's database. Returns `None` if there is none.
    pub fn existing(data_dir: &Path) -> Result<Option<Self>, TokenStoreError> {
        if Database::is_at(data_dir) {
            Self::open(data_dir).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the tokens and tunnels of an open registry.
    pub(crate) fn of(registry: Arc<dyn Registry>) -> Self {
        Self {
            registry,
            folder: None,
        }
    }

    /// Returns whether a relay has ever run with this folder.
    pub fn was_used_by_a_relay(&self) -> bool {
        self.folder.as_deref().is_none_or(DataFolderLock::was_taken)
    }

    /// Returns the URL at which the relay of this store is or was last reached.
    pub async fn public_url(&self) -> Result<Option<String>, TokenStoreError> {
        self.registry.public_url().await
    }

    /// Creates a token. An owner may have several, so that one can replace another without an
    /// interruption.
    pub async fn create(&self, owner: &str) -> Result<Token, TokenStoreError> {
        if !owner::is_valid(owner) {
            return Err(TokenStoreError::InvalidOwner);
        }
        let token = Token::generate()?;
        let added = self.registry.add_token(token.clone(), owner.to_owned());
        added.await?;
        Ok(token)
    }

    /// Returns all tokens, revoked ones included, oldest first.
    pub async fn list(&self) -> Result<Vec<TokenInfo>, TokenStoreError> {
        self.registry.tokens().await
    }

    /// Revokes all tokens of an owner, or the one with this id, which may be preceded by `pt_`.
    /// Agents connected with them are informed and disconnected. If the tunnels are deleted
    /// too, their URLs stop working at once and their queued events are lost; otherwise, they
    /// stop working when the relay's age limit is over.
    pub async fn revoke(
        &self,
        owner_or_id: &str,
        with_tunnels: bool,
    ) -> Result<RevokedCounts, TokenStoreError> {
        let owner_or_id = owner_or_id.to_owned();
        self.registry.revoke(owner_or_id, with_tunnels).await
    }

    /// Returns the tunnels of an owner, or of all owners, by owner and name. The connected agents
    /// are as the running relay stored them, about a second ago; there are none if no relay runs.
    pub async fn tunnels(&self, owner: Option<&str>) -> Result<Vec<TunnelInfo>, TokenStoreError> {
        self.registry.tunnels(owner.map(str::to_owned)).await
    }

    /// Gives a tunnel a new key. The old URL stops working after the grace period. Returns
    /// `None` if the tunnel does not exist.
    pub async fn rotate(
        &self,
        owner: &str,
        name: &TunnelName,
        grace: Duration,
    ) -> Result<Option<RotatedKey>, TokenStoreError> {
        let fresh = TunnelKey::generate()?;
        let rotated = self
            .registry
            .rotate(owner.to_owned(), name.clone(), fresh, grace);
        rotated.await
    }

    /// Deletes a tunnel with its queued events. Returns whether it existed.
    pub async fn delete(&self, owner: &str, name: &TunnelName) -> Result<bool, TokenStoreError> {
        self.registry.delete(owner.to_owned(), name.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn tokens_are_listed_by_owner_and_revoked_by_owner_or_id() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::open(folder.path()).unwrap();
        let first = store.create("ada").await.unwrap();
        store.create("ada").await.unwrap();
        store.create("bob").await.unwrap();

        let revoke = async |who: &str| store.revoke(who, false).await.unwrap().tokens;
        assert_eq!(revoke(&format!("pt_{}…", first.id())).await, 1);
        assert_eq!(revoke("ada").await, 1, "the other one");
        assert_eq!(revoke("nobody").await, 0);

        let list = TokenStore::open(folder.path()).unwrap().list().await;
        let list = list.unwrap();
        let active: Vec<_> = list
            .iter()
            .filter(|token| token.revoked_at.is_none())
            .collect();
        assert_eq!((list.len(), active.len()), (3, 1));
        assert_eq!(active[0].owner, "bob");
    }

    #[tokio::test]
    async fn an_owner_that_cannot_be_read_in_a_list_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::open(folder.path()).unwrap();
        for bad in ["", "a b", "\u{1b}[31m", "a\u{202e}b", "pt_abcdef"] {
            let created = store.create(bad).await;
            assert!(
                matches!(created, Err(TokenStoreError::InvalidOwner)),
                "{bad:?}"
            );
        }
    }
}
