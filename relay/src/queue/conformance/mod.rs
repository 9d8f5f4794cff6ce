//! Tests what every engine must do: one function per promise, which [`conformance`] turns
//! into a test for each engine.
//!
//! An engine provides a [`Bench`]: how to create a queue with given limits, how to create a tunnel
//! in it, and how to restart it. A promise that cannot be tested for every engine is not a promise.

mod bench;
mod events;
mod removal;

pub(crate) use bench::{Bench, NOBODY, WIDE, append};
pub(crate) use events::*;
pub(crate) use removal::*;

/// Defines a test of one engine for each promise.
macro_rules! conformance {
    ($bench:ty: $($promise:ident),+ $(,)?) => {$(
        #[tokio::test]
        async fn $promise() {
            if !<$bench as $crate::queue::conformance::Bench>::is_available() {
                return;
            }
            let patience = std::time::Duration::from_mins(1);
            let promise = $crate::queue::conformance::$promise::<$bench>();
            tokio::time::timeout(patience, promise).await.expect("it hangs");
        }
    )+};
    ($bench:ty) => {
        $crate::queue::conformance::conformance!($bench:
            events_come_back_as_they_were_appended,
            numbers_count_from_one_in_each_tunnel,
            concurrent_appends_get_numbers_without_holes,
            a_read_at_the_end_waits_for_the_next_event,
            a_read_brings_no_more_than_it_may,
            acknowledged_events_are_gone_and_the_rest_stays,
            everything_outlives_a_restart,
            numbers_are_never_used_twice,
            a_large_backlog_is_acknowledged_at_once,
            a_full_queue_refuses_until_there_is_room,
            bytes_fill_a_queue_as_well,
            one_owner_leaves_room_for_the_others,
            what_is_too_old_becomes_a_gap,
            an_acknowledgement_past_a_gap_forgets_it,
            a_deleted_tunnel_is_unknown,
            a_follower_gets_each_event_once_and_in_order,
            what_an_agent_has_is_never_in_the_way,
            what_an_agent_has_is_not_counted,
            what_an_agent_has_is_not_missing_when_it_is_too_old,
            what_an_agent_has_is_deleted_before_the_end,
            what_an_agent_has_is_deleted_by_the_clock,
            many_that_an_agent_has_wait_for_no_clock,
            a_closed_queue_refuses,
        );
    };
}
pub(crate) use conformance;
