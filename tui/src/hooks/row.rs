//! One row of the hooks: the kinds of rows, and the signs and words for the state of each.

use std::collections::HashSet;

use podtap_agent::{FailedPlace, HookListing, HookStanding, ListedHook, PlaceRef, UrlVerdict};
use podtap_podio::client::HookStatus;
use podtap_podio::hook_url::Uncallable;

use crate::theme::Role;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HookRow {
    /// A hook that Podio has listed.
    Hook(Box<ListedHook>),
    /// A place whose hooks could not be listed.
    Failed(FailedPlace),
    /// A hook that called within a week and is in no list.
    Called(HookStanding),
}

/// The identity of a row, which stays the same when the list is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKey {
    Hook(u64),
    Place(PlaceRef),
}

impl HookRow {
    /// Returns the identity of the row.
    pub(crate) fn key(&self) -> RowKey {
        match self {
            Self::Hook(listed) => RowKey::Hook(listed.hook.hook_id),
            Self::Failed(failed) => RowKey::Place(failed.place.at),
            Self::Called(standing) => RowKey::Hook(standing.hook_id),
        }
    }

    /// Returns the hook, if Podio has listed it.
    pub(crate) fn hook(&self) -> Option<&ListedHook> {
        match self {
            Self::Hook(listed) => Some(listed),
            Self::Failed(_) | Self::Called(_) => None,
        }
    }

    /// Returns the place of the row, if it has one.
    pub(crate) fn place(&self) -> Option<PlaceRef> {
        match self {
            Self::Hook(listed) => Some(listed.place.at),
            Self::Failed(failed) => Some(failed.place.at),
            Self::Called(_) => None,
        }
    }
}

/// Returns the hooks of each place, or the reason why they are missing, and then the
/// hooks that only the history knows.
pub(super) fn rows(listing: HookListing, standings: Vec<HookStanding>) -> Vec<HookRow> {
    let listed: HashSet<u64> = listing.hooks.iter().map(|it| it.hook.hook_id).collect();
    let hooks = listing.hooks.into_iter().map(Box::new).map(HookRow::Hook);
    let failed = listing.failed.into_iter().map(HookRow::Failed);
    let mut rows: Vec<HookRow> = failed.chain(hooks).collect();
    let nth = |row: &HookRow| {
        let mut places = listing.places.iter();
        places.position(|place| Some(place.at) == row.place())
    };
    rows.sort_by_cached_key(nth);
    let mut called = standings;
    called.retain(|standing| !listed.contains(&standing.hook_id));
    rows.extend(called.into_iter().map(HookRow::Called));
    rows
}

/// Returns the sign and the word for the status of a hook.
pub(super) fn status(status: HookStatus) -> (Role, &'static str) {
    match status {
        HookStatus::Active => (Role::Ok, "● active"),
        HookStatus::Inactive => (Role::Warning, "○ inactive"),
        HookStatus::Unknown => (Role::Quiet, "? unknown"),
    }
}

/// Returns a mark of a few cells that shows where a hook's URL leads.
pub(super) fn mark(verdict: &UrlVerdict) -> (Role, String) {
    let dead = |word: &str| (Role::Failed, format!("✗ {word}"));
    match verdict {
        UrlVerdict::Ours => (Role::Ok, "✓ this tunnel".to_owned()),
        UrlVerdict::OtherTunnel => dead("other tunnel"),
        UrlVerdict::Uncallable(Uncallable::Port(port)) => dead(&format!("port {port}")),
        UrlVerdict::Uncallable(Uncallable::PrivateAddress(_)) => dead("private"),
        UrlVerdict::Uncallable(_) => dead(verdict.word().unwrap_or_default()),
        UrlVerdict::Temporary(service) => (Role::Warning, format!("! {service}")),
        UrlVerdict::Unsuspected => (Role::Quiet, "elsewhere".to_owned()),
    }
}

/// Returns the sign and the words for what Podio would conclude about a hook.
pub(super) fn standing(standing: Option<&HookStanding>) -> (Role, String) {
    match standing.map(HookStanding::conclusion) {
        None => (Role::Quiet, "– not called".to_owned()),
        Some("active") => (Role::Ok, "✓ active".to_owned()),
        Some(conclusion) => (Role::Warning, format!("! {conclusion}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_fits_the_narrowest_column() {
        let private = Uncallable::PrivateAddress("10.0.0.1".parse().unwrap());
        for verdict in [
            UrlVerdict::Ours,
            UrlVerdict::OtherTunnel,
            UrlVerdict::Uncallable(Uncallable::Port(65_535)),
            UrlVerdict::Uncallable(Uncallable::ThisMachine("x".to_owned())),
            UrlVerdict::Uncallable(Uncallable::Malformed("x".to_owned())),
            UrlVerdict::Uncallable(private),
            UrlVerdict::Unsuspected,
        ] {
            let (role, mark) = mark(&verdict);
            assert!(
                mark.chars().count() <= super::super::columns::MARK,
                "{mark}"
            );
            assert_eq!(role == Role::Failed, verdict.is_dead(), "{mark}");
        }
    }
}
