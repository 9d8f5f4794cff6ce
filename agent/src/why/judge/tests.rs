//! Tests each fact in turn: one fact is made worse, and it becomes the answer.

use std::time::Duration;

use jiff::Timestamp;
use podtap_podio::client::HookStatus;
use podtap_podio::{EventType, ObjectKind, ObjectRef};
use podtap_wire::EventId;

use super::*;
use crate::history::{
    AttemptSummary, DeliveryState, HoldReason, Insight, Loss, Position, Verification,
};
use crate::hooks::UrlVerdict;
use crate::place::{Place, PlaceRef};
use crate::status::{LinkState, ServiceState, Status};
use crate::why::facts::{HookFact, KnownHooks, NewestRevision};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn hook() -> HookFact {
    HookFact {
        hook_id: 7,
        event: "item.update".to_owned(),
        place: Place {
            at: PlaceRef::app(3),
            name: None,
        },
        status: HookStatus::Active,
        verdict: UrlVerdict::Ours,
        created: Some(at(10)),
        verification: Some(Verification::Validated),
    }
}

fn revision() -> NewestRevision {
    NewestRevision {
        number: 9,
        event: EventType::ItemUpdate,
        at: Some(at(1000)),
        by: "Ada through Invoicing".to_owned(),
        by_hand: false,
        missing: Vec::new(),
    }
}

fn row() -> EventRow {
    EventRow {
        position: Position(5),
        id: EventId::from_bytes([1; 16]),
        received_at: at(1001),
        method: "POST".to_owned(),
        path: "/podio/hook".to_owned(),
        event_type: Some("item.update".to_owned()),
        object: None,
        revision: Some(9),
        hook_id: Some(7),
        body_bytes: 1,
        state: DeliveryState::Delivered,
        last: Some(AttemptSummary {
            outcome: Ok(200),
            duration: Duration::from_millis(38),
            replay: false,
        }),
        attempts: 1,
        insight: Insight::default(),
        note: None,
        burst: None,
    }
}

/// Returns facts in which everything is well and nothing has arrived.
fn facts() -> Facts {
    Facts {
        subject: Subject::Object(ObjectRef {
            kind: ObjectKind::Item,
            id: 4711,
        }),
        now: at(2000),
        change: PodioChange::Revision(revision()),
        hooks: listed_hooks(vec![hook()]),
        newest: None,
        before: None,
        loop_cure: None,
        losses: Vec::new(),
        last_fired: None,
        knows_tunnel: true,
        app: Some(3),
        status: Status {
            link: LinkState::Up { since: at(0) },
            service: ServiceState::Up { since: at(0) },
            ..Status::default()
        },
    }
}

fn listed_hooks(able: Vec<HookFact>) -> KnownHooks {
    KnownHooks::Listed {
        able,
        looked: "app 3".to_owned(),
        failed: Vec::new(),
    }
}

/// Returns the cause and the conclusion after this change.
fn cause(change: impl FnOnce(&mut Facts)) -> (Cause, String) {
    let mut facts = facts();
    change(&mut facts);
    let why = judge(&facts);
    assert_eq!(why.links.len(), 9);
    assert!(
        why.cause == Cause::Answered || why.cure.is_some(),
        "{why:?}"
    );
    (why.cause, why.conclusion)
}

fn with_hook(change: impl FnOnce(&mut HookFact)) -> (Cause, String) {
    let mut hook = hook();
    change(&mut hook);
    cause(|facts| facts.hooks = listed_hooks(vec![hook]))
}

fn judge_arrived(change: impl FnOnce(&mut EventRow)) -> (Cause, String) {
    let mut row = row();
    change(&mut row);
    cause(|facts| facts.newest = Some(row))
}

/// Checks each cause, and that the conclusion contains these words and is about the item.
fn check(told: &[((Cause, String), Cause, &str)]) {
    for ((cause, conclusion), expected, words) in told {
        assert_eq!(cause, expected, "{conclusion}");
        assert!(conclusion.contains(words), "{words}: {conclusion}");
        assert!(conclusion.starts_with("item 4711"), "{conclusion}");
    }
}

#[test]
fn what_podio_did_not_send_has_the_first_broken_link_as_its_cause() {
    check(&[
        (
            cause(|_| ()),
            Cause::HookFalse,
            "probably written with hook=false",
        ),
        (
            cause(|facts| facts.change = PodioChange::Gone("gone".to_owned())),
            Cause::NoChange,
            "Podio does not return it",
        ),
        (
            cause(|facts| facts.hooks = listed_hooks(Vec::new())),
            Cause::NoHook,
            "app 3 has no hook for item.update",
        ),
        (
            with_hook(|hook| hook.status = HookStatus::Inactive),
            Cause::HookInactive,
            "hook 7 is inactive",
        ),
        (
            with_hook(|hook| {
                hook.verdict = UrlVerdict::OtherTunnel;
                hook.status = HookStatus::Inactive;
            }),
            Cause::HookElsewhere,
            "hook 7 leads to another tunnel",
        ),
        (
            with_hook(|hook| hook.created = Some(at(1500))),
            Cause::HookYounger,
            "after the change",
        ),
    ]);
}

#[test]
fn what_was_lost_on_the_way_has_the_first_broken_link_as_its_cause() {
    check(&[
        (
            cause(|facts| {
                facts.losses = vec![Loss::Refused {
                    count: 3,
                    reason: "rate".to_owned(),
                    last_at: at(1002),
                }];
            }),
            Cause::Refused,
            "the relay refused 3 webhooks (rate)",
        ),
        (
            cause(|facts| {
                facts.losses = vec![Loss::Removed {
                    count: 1,
                    reason: "age".to_owned(),
                    after: Some(at(900)),
                    before: None,
                }];
            }),
            Cause::Removed,
            "removed 1 webhook",
        ),
        (
            cause(|facts| facts.status.link = LinkState::Off),
            Cause::NoAgent,
            "no agent is running",
        ),
        (
            cause(|facts| {
                let reason = "connection refused".to_owned();
                facts.status.link = LinkState::Stopped { reason };
            }),
            Cause::LinkDown,
            "not connected to the relay: connection refused",
        ),
        (
            cause(|facts| facts.status.backlog = 4),
            Cause::OnRelay,
            "4 events still wait on the relay",
        ),
        (
            cause(|facts| facts.now = at(1003)),
            Cause::NotYet,
            "Podio may still call",
        ),
        (
            cause(|facts| facts.change = PodioChange::Unasked("no credentials".to_owned())),
            Cause::Unknown,
            "nothing that is known is wrong",
        ),
    ]);
}

#[test]
fn a_change_by_hand_or_one_before_a_loss_is_not_put_down_to_hook_false() {
    let by_hand = cause(|facts| {
        let mut revision = revision();
        revision.by_hand = true;
        facts.change = PodioChange::Revision(revision);
    });
    assert_eq!(by_hand.0, Cause::NotYet);
    let earlier_loss = cause(|facts| {
        facts.losses = vec![Loss::Refused {
            count: 3,
            reason: "rate".to_owned(),
            last_at: at(10),
        }];
    });
    assert_eq!(earlier_loss.0, Cause::HookFalse);
    // A later event of the hook is sufficient proof, even if the change is very new.
    let soon = cause(|facts| (facts.now, facts.last_fired) = (at(1003), Some(at(1002))));
    assert_eq!(soon.0, Cause::HookFalse);
}

#[test]
fn what_arrived_is_judged_by_what_became_of_it_whatever_the_hooks_are_now() {
    check(&[
        (judge_arrived(|_| ()), Cause::Answered, "was answered 200"),
        (
            judge_arrived(|row| row.last.as_mut().unwrap().outcome = Ok(500)),
            Cause::ErrorAnswer,
            "the local service answered 500",
        ),
        (
            judge_arrived(|row| {
                row.last.as_mut().unwrap().outcome = Err("connection lost".to_owned());
            }),
            Cause::NoAnswer,
            "did not answer: connection lost",
        ),
        (
            judge_arrived(|row| (row.last, row.state) = (None, DeliveryState::Held)),
            Cause::Held,
            "there was no local service",
        ),
        (
            judge_arrived(|row| {
                (row.last, row.state) = (None, DeliveryState::Held);
                row.insight.hold = Some(HoldReason::Loop);
            }),
            Cause::HeldLoop,
            "in a loop",
        ),
        (
            judge_arrived(|row| (row.last, row.state) = (None, DeliveryState::Pending)),
            Cause::Waiting,
            "under way",
        ),
        (
            cause(|facts| {
                facts.hooks = listed_hooks(Vec::new());
                facts.newest = Some(row());
            }),
            Cause::Answered,
            "was answered 200",
        ),
        (
            cause(|facts| {
                let mut newest = row();
                (newest.last, newest.state) = (None, DeliveryState::Pending);
                (facts.newest, facts.before) = (Some(newest), Some(row()));
            }),
            Cause::Waiting,
            "it waits for item.update r9 before it",
        ),
        (
            cause(|facts| {
                let mut newest = row();
                (newest.last, newest.state) = (None, DeliveryState::Pending);
                facts.newest = Some(newest);
                let reason = "connection refused".to_owned();
                facts.status.service = ServiceState::Down {
                    since: at(5),
                    reason,
                };
            }),
            Cause::ServiceDown,
            "the local service has been down",
        ),
    ]);
    let older = cause(|facts| {
        let mut older = row();
        older.revision = Some(8);
        facts.newest = Some(older);
    });
    assert_eq!(older.0, Cause::HookFalse, "{}", older.1);
}

#[test]
fn a_hook_or_a_type_is_judged_by_how_things_are_now() {
    let of_type = |change: &dyn Fn(&mut Facts)| {
        cause(|facts| {
            facts.subject = Subject::Type(EventType::ItemUpdate);
            facts.change = PodioChange::Unasked("many".to_owned());
            facts.newest = Some(row());
            change(facts);
        })
    };
    let (fine, conclusion) = of_type(&|_| ());
    assert_eq!(fine, Cause::Answered, "{conclusion}");
    let inactive = of_type(&|facts| {
        let mut hook = hook();
        hook.status = HookStatus::Inactive;
        facts.hooks = listed_hooks(vec![hook]);
    });
    assert_eq!(inactive.0, Cause::HookInactive);
    assert_eq!(of_type(&|facts| facts.newest = None).0, Cause::Unknown);
    let not_verified = cause(|facts| {
        facts.subject = Subject::Hook(7);
        facts.change = PodioChange::Unasked("many".to_owned());
        let mut newest = row();
        newest.event_type = Some("hook.verify".to_owned());
        let reason = "invalid code".to_owned();
        newest.insight.verification = Some(Verification::Failed { reason });
        facts.newest = Some(newest);
    });
    assert_eq!(not_verified.0, Cause::NotVerified, "{}", not_verified.1);
}
