//! Saves the world in a file, from one run to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;
use podtap_podio::standing::Standing;
use serde::{Deserialize, Serialize};

use super::people::TokenSessions;
use super::{
    Embed, Ids, Record, StoredApp, StoredComment, StoredFile, StoredHook, StoredItem, StoredSpace,
    StoredTask, View, World,
};

/// Format version of this build. A file with another version is refused.
const VERSION: u32 = 1;

/// Content of the file. It does not contain the seed's clients and users, which are read
/// from the seed.
#[derive(Deserialize)]
struct SavedWorld {
    ids: Ids,
    spaces: BTreeMap<u64, StoredSpace>,
    apps: BTreeMap<u64, StoredApp>,
    items: BTreeMap<u64, StoredItem>,
    comments: BTreeMap<u64, StoredComment>,
    tasks: BTreeMap<u64, StoredTask>,
    files: BTreeMap<u64, StoredFile>,
    #[serde(rename = "things")]
    records: BTreeMap<u64, Record>,
    #[serde(default)]
    views: BTreeMap<u64, View>,
    #[serde(default)]
    embeds: BTreeMap<u64, Embed>,
    hooks: BTreeMap<u64, StoredHook>,
    sessions: TokenSessions,
}

/// Borrowed form of the content, for writing.
#[derive(Serialize)]
struct StateRef<'a> {
    version: u32,
    saved_at: Timestamp,
    ids: &'a Ids,
    spaces: &'a BTreeMap<u64, StoredSpace>,
    apps: &'a BTreeMap<u64, StoredApp>,
    items: &'a BTreeMap<u64, StoredItem>,
    comments: &'a BTreeMap<u64, StoredComment>,
    tasks: &'a BTreeMap<u64, StoredTask>,
    files: &'a BTreeMap<u64, StoredFile>,
    #[serde(rename = "things")]
    records: &'a BTreeMap<u64, Record>,
    views: &'a BTreeMap<u64, View>,
    embeds: &'a BTreeMap<u64, Embed>,
    hooks: &'a BTreeMap<u64, StoredHook>,
    sessions: &'a TokenSessions,
}

/// Reason why a file cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum InvalidState {
    /// The file was not written by the sandbox.
    #[error("the file is not the saved state of a sandbox")]
    Malformed(#[from] serde_json::Error),
    /// The file was written by another version.
    #[error("the state has version {0}, and this build reads version {VERSION}")]
    OtherVersion(u32),
}

impl World {
    /// Returns the world as a file.
    pub(crate) fn save(&self) -> Result<Vec<u8>, serde_json::Error> {
        let state = StateRef {
            version: VERSION,
            saved_at: self.now,
            ids: &self.ids,
            spaces: &self.spaces,
            apps: &self.apps,
            items: &self.items,
            comments: &self.comments,
            tasks: &self.tasks,
            files: &self.files,
            records: &self.records,
            views: &self.views,
            embeds: &self.embeds,
            hooks: &self.hooks,
            sessions: self.people.sessions(),
        };
        serde_json::to_vec(&state)
    }

    /// Replaces the seed's world. Hooks begin with an empty record of answers.
    pub(crate) fn restore(&mut self, file: &[u8]) -> Result<(), InvalidState> {
        #[derive(Deserialize)]
        struct StateHead {
            version: u32,
        }
        let head: StateHead = serde_json::from_slice(file)?;
        if head.version != VERSION {
            return Err(InvalidState::OtherVersion(head.version));
        }
        let state: SavedWorld = serde_json::from_slice(file)?;
        self.ids = state.ids;
        self.spaces = state.spaces;
        self.apps = state.apps;
        self.items = state.items;
        self.comments = state.comments;
        self.tasks = state.tasks;
        self.files = state.files;
        self.records = state.records;
        self.views = state.views;
        self.embeds = state.embeds;
        self.hooks = state.hooks;
        for hook in self.hooks.values_mut() {
            hook.standing = Standing::new(self.config.rule);
        }
        self.people.resume(state.sessions);
        Ok(())
    }
}
