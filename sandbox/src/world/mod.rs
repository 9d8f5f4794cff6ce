//! Holds all objects of the sandbox in memory, and changes them.
//!
//! Synchronous and without I/O: the time and the source of randomness are inside, and
//! webhooks to send collect in the outbox, from which the holder of the world takes them.
//! The API, the senders of webhooks and the simulated people all work on it, one at a time.

mod app;
mod as_text;
mod attached;
mod attached_events;
mod date;
mod embed;
mod field;
mod file;
mod hook;
mod item;
mod people;
mod plant;
mod record;
mod show;
mod state;
mod summary;
mod task;
mod value;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::ErrorAnswer;
use super::config::SandboxConfig;
use super::rate::RateBook;

pub(super) use app::{StoredApp, StoredSpace};
pub(super) use attached::{Attachment, NewComment, StoredComment};
pub(super) use date::moment;
pub(super) use embed::Embed;
pub(super) use field::StoredField;
pub(super) use file::{FileContent, StoredFile};
pub(super) use hook::{EventPlace, NewHook, SandboxWebhook, StoredHook};
pub(super) use item::{ItemDraft, StoredItem, StoredRevision};
pub(super) use people::{People, RevisionAuthor, TokenIdentity};
pub(super) use record::{Record, RecordKind};
pub(super) use show::{
    ORG, show_app, show_app_ref, show_change, show_field, show_org_ref, show_space, show_space_ref,
    show_values,
};
pub use state::InvalidState;
pub(super) use summary::Summary;
pub(super) use task::{NewTask, StoredTask};
pub(super) use value::field_values;
pub(super) use view::{NewView, View, ViewKind};

pub(super) struct World {
    pub(super) config: Arc<SandboxConfig>,
    /// Time of the current change, which is set when it begins.
    pub(super) now: Timestamp,
    pub(super) rng: Rng,
    pub(super) people: People,
    pub(super) rates: RateBook,
    pub(super) spaces: BTreeMap<u64, StoredSpace>,
    pub(super) apps: BTreeMap<u64, StoredApp>,
    pub(super) items: BTreeMap<u64, StoredItem>,
    pub(super) comments: BTreeMap<u64, StoredComment>,
    pub(super) tasks: BTreeMap<u64, StoredTask>,
    pub(super) files: BTreeMap<u64, StoredFile>,
    /// Web forms, status posts and contacts.
    pub(super) records: BTreeMap<u64, Record>,
    pub(super) views: BTreeMap<u64, View>,
    pub(super) embeds: BTreeMap<u64, Embed>,
    pub(super) hooks: BTreeMap<u64, StoredHook>,
    /// URL below which its files can be downloaded.
    pub(super) base_url: String,
    /// Whether webhooks are lost on their way, as when Podio's senders are down.
    pub(super) outage: bool,
    /// Number of calls that may have changed something.
    changes: u64,
    ids: Ids,
    outbox: Vec<SandboxWebhook>,
}

/// Effects of a write that its query can switch off (podio.md 5.3). `silent` has no effect
/// here: it stops notifications, which the sandbox does not have, and no hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Switches {
    pub(super) hook: bool,
}

impl Switches {
    /// Effects of a change by default.
    pub(super) const DEFAULT: Self = Self { hook: true };
}

/// The next ids, in the ranges that Podio had reached in 2026 (podio.md 6).
#[derive(Debug, Serialize, Deserialize)]
struct Ids {
    hook: u64,
    app: u64,
    field: u64,
    item: u64,
    revision: u64,
    comment: u64,
    task: u64,
    file: u64,
    #[serde(rename = "thing")]
    record: u64,
    #[serde(default = "first_view")]
    view: u64,
    #[serde(default = "first_embed")]
    embed: u64,
    #[serde(default = "first_space")]
    space: u64,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            hook: 24_360_216,
            app: 30_700_000,
            field: 271_000_000,
            item: 3_276_908_608,
            revision: 4_810_000_000,
            comment: 1_489_203_375,
            task: 231_889_027,
            file: 2_190_554_321,
            record: 20_781_146,
            view: first_view(),
            embed: first_embed(),
            space: first_space(),
        }
    }
}

const fn first_view() -> u64 {
    62_400_118
}

const fn first_embed() -> u64 {
    731_118_004
}

const fn first_space() -> u64 {
    9_300_000
}

/// Returns the next id of a kind and increments it.
fn next(id: &mut u64) -> u64 {
    let taken = *id;
    *id = id.saturating_add(1);
    taken
}

impl World {
    /// Creates the world that the configuration's seed describes.
    pub(super) fn new(config: Arc<SandboxConfig>, base_url: String, now: Timestamp) -> Self {
        let mut world = Self {
            now,
            rng: Rng::with_seed(config.random_seed),
            people: People::new(&config.seed),
            rates: RateBook::new(config.rates),
            spaces: BTreeMap::new(),
            apps: BTreeMap::new(),
            items: BTreeMap::new(),
            comments: BTreeMap::new(),
            tasks: BTreeMap::new(),
            files: BTreeMap::new(),
            records: BTreeMap::new(),
            views: BTreeMap::new(),
            embeds: BTreeMap::new(),
            hooks: BTreeMap::new(),
            base_url,
            outage: config.delivery.outage,
            changes: 0,
            ids: Ids::default(),
            outbox: Vec::new(),
            config,
        };
        world.plant();
        world
    }

    /// Returns and removes the webhooks to send, in the order of their events.
    pub(super) fn take_webhooks(&mut self) -> Vec<SandboxWebhook> {
        self.changes += 1;
        std::mem::take(&mut self.outbox)
    }

    /// Returns the number of webhooks to send.
    pub(super) fn queued_webhooks(&self) -> usize {
        self.outbox.len()
    }

    /// Returns a number that differs if something may have changed since the last call.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn item(&self, item_id: u64) -> Result<&StoredItem, ErrorAnswer> {
        self.items.get(&item_id).ok_or_else(ErrorAnswer::not_found)
    }

    pub(super) fn app(&self, app_id: u64) -> Result<&StoredApp, ErrorAnswer> {
        self.apps.get(&app_id).ok_or_else(ErrorAnswer::not_found)
    }
}

/// Formats a time as Podio does: UTC without a zone.
fn podio_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
