//! Snapshots of gaps: among events, selected, and reported in a notice.

use podtap_agent::history::{HistoryRow, Incident};

use crate::changes::Changes;
use crate::effect::Effect;
use crate::list::{ListAnswer, ListEffect};
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app, frame, gap, now, press, row, settle, text};

#[test]
fn gaps_are_rows_between_the_events_before_and_after_them() {
    for (width, height) in [(60, 15), (80, 24), (120, 40), (200, 60)] {
        let mut app = app(width, height);
        let mut outage = gap(1_202);
        outage.incident = Incident::LinkOutage {
            since: now() - jiff::SignedDuration::from_mins(90),
            until: now(),
        };
        let rows: Vec<HistoryRow> = vec![
            row(1_204).into(),
            row(1_203).into(),
            HistoryRow::Gap(outage),
            row(1_201).into(),
            HistoryRow::Gap(gap(1_200)),
            row(1_199).into(),
        ];
        for effect in app.update(Message::Tick(now())) {
            if let Effect::List(ListEffect::LoadPage { generation, .. }) = effect {
                let result = Ok(rows.clone().into());
                let page = FeatureAnswer::List(ListAnswer::Page { generation, result });
                settle(&mut app, Message::Answer(page), 1_204);
            }
        }
        press(&mut app, "j j j j enter", 1_204);
        insta::assert_snapshot!(format!("gap_{width}x{height}"), text(&frame(&app)));
        press(&mut app, "esc", 1_204);
        let changes = Changes {
            incidents: vec![gap(1_205).incident],
            ..Changes::default()
        };
        settle(&mut app, Message::Changed(changes), 1_204);
        insta::assert_snapshot!(format!("told_{width}x{height}"), text(&frame(&app)));
    }
}
