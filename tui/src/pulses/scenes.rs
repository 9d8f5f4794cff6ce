//! Snapshots of the table, and the samples that the tests of this folder share.

use std::time::Duration;

use jiff::SignedDuration;
use podtap_agent::Place;
use podtap_agent::figures::{Distance, HookTraffic, Traffic};

use super::PulsesAnswer;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, now, press, settle, standing, text};

/// Returns a hook with this number of calls. Hooks with odd ids have failures.
pub(super) fn hook(hook_id: u64, calls: u64) -> HookTraffic {
    let bad = hook_id % 2 == 1;
    let millis = |millis| Some(Duration::from_millis(millis));
    HookTraffic {
        hook_id: Some(hook_id),
        event_type: Some("item.update".to_owned()),
        place: hook_id.is_multiple_of(3).then(|| Place {
            at: podtap_agent::PlaceRef::app(30_682_880),
            name: Some("Orders".to_owned()),
        }),
        calls,
        failed: if bad { 21 } else { 0 },
        p50: millis(38),
        p95: millis(if bad { 9_100 } else { 88 }),
        max: millis(if bad { 16_200 } else { 380 }),
        last_at: now() - SignedDuration::from_secs(i64::try_from(hook_id).unwrap()),
        per_minute: (0..60).map(|minute| minute * hook_id % 7).collect(),
        distance: Distance {
            slowest: millis(if bad { 16_200 } else { 380 }),
            failed_soon: if bad { 15 } else { 0 },
            failed_week: if bad { 21 } else { 0 },
            standing: Some(standing(hook_id)),
        },
    }
}

/// Returns the traffic of these hooks.
pub(super) fn traffic(hooks: Vec<HookTraffic>) -> Traffic {
    Traffic {
        since: now() - SignedDuration::from_hours(24),
        hooks,
        left_out: 0,
    }
}

#[test]
fn the_table_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 36), (200, 60)] {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "p", 500);
        let hooks = (0..12)
            .map(|at| hook(24_360_210 + at, 1_204 / (at + 1)))
            .collect();
        let counted = PulsesAnswer::Counted(Ok(Box::new(traffic(hooks))));
        settle(
            &mut app,
            Message::Answer(FeatureAnswer::Pulses(counted)),
            500,
        );
        press(&mut app, "j", 500);
        insta::assert_snapshot!(format!("pulses_{width}x{height}"), text(&frame(&app)));
    }
}

#[test]
fn a_quiet_hook_is_said_to_be_active_and_shows_its_events() {
    let mut app = app(120, 36);
    settle(&mut app, Message::Tick(now()), 500);
    press(&mut app, "p", 500);
    assert!(text(&frame(&app)).contains("Counting"));
    let counted = PulsesAnswer::Counted(Ok(Box::new(traffic(vec![hook(90_210, 3)]))));
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Pulses(counted)),
        500,
    );
    let shown = text(&frame(&app));
    assert!(shown.contains("Podio would say  ✓ active"), "{shown}");
    assert!(shown.contains("0 of 200 failures disable"), "{shown}");
    press(&mut app, "enter", 500);
    assert!(app.windows.is_empty());
    let shown = text(&frame(&app));
    assert!(shown.contains("hook:90210 type:item.update"), "{shown}");

    press(&mut app, "p", 500);
    let counted = PulsesAnswer::Counted(Ok(Box::new(traffic(Vec::new()))));
    settle(
        &mut app,
        Message::Answer(FeatureAnswer::Pulses(counted)),
        500,
    );
    assert!(text(&frame(&app)).contains("No hook has called"));
}
