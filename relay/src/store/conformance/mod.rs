//! Tests what every engine must do beside the queue (`crate::queue::conformance`): one
//! function per promise, which [`store_conformance`] turns into a test for each engine.

mod presence;
mod tokens;
mod tunnels;

pub(crate) use presence::*;
pub(crate) use tokens::*;
pub(crate) use tunnels::*;

use std::sync::Arc;

use podtap_wire::{TunnelKey, TunnelName};

use super::Store;
use crate::queue::TunnelId;
use crate::tunnel::TokenStore;
use crate::tunnel::registry::{TunnelGrant, TunnelRequest};

/// An engine under test.
pub(crate) trait StoreBench: Sized {
    /// Returns whether the programs that the engine needs are installed. If not, prints a message.
    fn is_available() -> bool {
        true
    }
    /// Creates an empty store.
    async fn new() -> Self;
    /// Returns the store in the form in which the relay uses it.
    fn store(&self) -> &Store;
    /// Ends the store without warning and opens it again.
    async fn restart(self) -> Self;
}

/// Returns the tokens and tunnels in the form in which the command line uses them.
pub(super) fn tokens_of(store: &Store) -> TokenStore {
    TokenStore::of(Arc::clone(&store.registry))
}

pub(super) fn name(text: &str) -> TunnelName {
    text.parse().unwrap()
}

/// Returns the request of an owner, who may have three tunnels, for a tunnel.
pub(super) fn request(owner: &str, tunnel: &str, epoch: Option<u64>) -> TunnelRequest {
    TunnelRequest {
        owner: owner.to_owned(),
        name: name(tunnel),
        epoch,
        fresh: TunnelKey::generate().unwrap(),
        max_tunnels: 3,
    }
}

/// Finds or creates a tunnel. Returns its id, its key and the agent's epoch.
pub(super) async fn want(store: &Store, request: TunnelRequest) -> (TunnelId, TunnelKey, u64) {
    match store.registry.want_tunnel(request).await.unwrap() {
        TunnelGrant::Found { id, key, epoch } => (id, key, epoch),
        TunnelGrant::TooMany => panic!("too many tunnels"),
    }
}

/// Defines a test of one engine for each promise.
macro_rules! store_conformance {
    ($bench:ty: $($promise:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $promise() {
            if !<$bench as $crate::store::conformance::StoreBench>::is_available() {
                return;
            }
            let patience = std::time::Duration::from_mins(1);
            let promise = $crate::store::conformance::$promise::<$bench>();
            tokio::time::timeout(patience, promise).await.expect("it hangs");
        }
    )+};
    ($bench:ty) => {
        $crate::store::conformance::store_conformance!($bench:
            a_token_is_found_until_it_is_revoked,
            tokens_are_listed_and_revoked_by_owner_or_id,
            a_name_that_is_also_another_owners_token_id_revokes_nothing,
            an_owners_tunnels_go_with_the_last_token,
            the_use_of_a_token_is_kept,
            a_tunnel_is_made_once_and_keeps_its_key,
            an_owner_has_as_many_tunnels_as_the_limit_says,
            an_epoch_is_given_once_to_the_newest,
            changes_are_told_once,
            a_tunnel_closes_after_the_last_token_is_revoked,
            a_rotated_key_leads_on_for_its_grace_and_no_longer,
            a_deleted_tunnel_is_gone_with_what_waits,
            a_list_says_what_waits,
            tunnels_and_tokens_outlive_a_restart,
            a_tunnel_has_one_agent_and_is_given_back,
            the_newest_agent_takes_over_and_an_older_one_waits,
            one_that_is_dead_is_in_nobodys_way,
            a_session_that_lost_its_tunnel_gives_nothing_back,
            session_numbers_grow,
        );
    };
}
pub(crate) use store_conformance;
