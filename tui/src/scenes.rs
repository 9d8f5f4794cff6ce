//! Snapshots of whole frames, at every size for which the layout differs.

use jiff::SignedDuration;
use podtap_agent::history::{EventRow, LoopFinding, LoopShape, Maker, Position};
use podtap_agent::{ExplainedField, Explanation, LinkState, RememberedEvent, ServiceState};
use podtap_podio::{ObjectKind, ObjectRef};

use crate::UiConfig;
use crate::app::App;
use crate::archive::ArchiveAnswer;
use crate::changes::Changes;
use crate::edit::EditAnswer;
use crate::effect::Effect;
use crate::explain::ExplainAnswer;
use crate::list::ListAnswer;
use crate::list::ListEffect;
use crate::message::{FeatureAnswer, Message};
use crate::names::NamesAnswer;
use crate::names::NamesEffect;
use crate::replay::ReplayAnswer;
use crate::snapshot::snapshot;
use crate::testing::{answer, app, burst, frame, id, now, press, row, settle, status};
use crate::theme::Theme;

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 60)];

fn product<A: Copy, B: Copy, const N: usize, const M: usize>(
    all: [A; N],
    each: [B; M],
) -> impl Iterator<Item = (A, B)> {
    all.into_iter()
        .flat_map(move |one| each.into_iter().map(move |other| (one, other)))
}

fn browsing(width: u16, height: u16) -> App {
    let mut app = app(width, height);
    settle(&mut app, Message::Tick(now()), 1_204);
    app
}

#[test]
fn browsing_at_every_size() {
    for (width, height) in SIZES {
        snapshot!("browsing", &browsing(width, height));
    }
}

#[test]
fn every_tab_of_the_detail() {
    for ((width, height), tab) in product(SIZES, ["1", "2", "3", "4", "5", "6"]) {
        let mut app = browsing(width, height);
        press(&mut app, &format!("enter {tab}"), 1_204);
        snapshot!(&format!("tab_{tab}"), &app);
    }
}

#[test]
fn the_help_lists_every_key_of_the_place() {
    for (width, height) in SIZES {
        let mut app = browsing(width, height);
        press(&mut app, "?", 1_204);
        snapshot!("help", &app);
    }
}

#[test]
fn moved_away_a_badge_counts_what_is_new() {
    for (width, height) in SIZES {
        let mut app = browsing(width, height);
        press(&mut app, "j j j", 1_204);
        let appended = Some(Position(1_216));
        let changes = Changes {
            appended,
            ..Changes::default()
        };
        settle(&mut app, Message::Changed(changes), 1_216);
        snapshot!("badge", &app);
    }
}

#[test]
fn names_and_changes_are_in_the_list() {
    for (width, height) in SIZES {
        let mut app = app(width, height);
        let change = |field: &str, from: &str, to: &str| ExplainedField {
            field: field.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        for effect in app.update(Message::Tick(now())) {
            let Some(FeatureAnswer::List(ListAnswer::Page { generation, result })) =
                answer(effect, 12)
            else {
                continue;
            };
            let page =
                Message::Answer(FeatureAnswer::List(ListAnswer::Page { generation, result }));
            for effect in app.update(page) {
                let Effect::Names(NamesEffect::Remember { rows }) = effect else {
                    continue;
                };
                let told = rows.iter().filter(|row| row.position.0 % 4 > 0).map(|row| {
                    let changes = match row.position.0 % 3 {
                        0 => vec![change("Due", "", "4 Jan")],
                        1 => vec![
                            change("Status", "Open", "Closed"),
                            change("Description", "Click on it, then wait for a while", ""),
                        ],
                        _ => Vec::new(),
                    };
                    let title = Some("Login fails on Safari, not on Firefox".to_owned());
                    let told = RememberedEvent {
                        title,
                        changes,
                        ..RememberedEvent::default()
                    };
                    (row.id, told)
                });
                let result = Ok(told.collect());
                settle(
                    &mut app,
                    Message::Answer(FeatureAnswer::Names(NamesAnswer::Remembered { result })),
                    12,
                );
            }
        }
        snapshot!("names", &app);
    }
}

#[test]
fn trouble_is_told_in_words() {
    for (width, height) in SIZES {
        let mut app = browsing(width, height);
        let mut status = status();
        let reason = Some("the relay does not answer".to_owned());
        let retry_at = Some(now() + SignedDuration::from_secs(4));
        status.link = LinkState::Connecting {
            attempt: 3,
            reason,
            retry_at,
        };
        let reason = "connection refused".to_owned();
        status.service = ServiceState::Down {
            since: now(),
            reason,
        };
        (status.pending, status.backlog) = (12, 1_500);
        settle(&mut app, Message::Status(Box::new(status)), 1_204);
        snapshot!("trouble", &app);
    }
}

#[test]
fn before_the_first_webhook_the_screen_says_what_to_do() {
    for (width, height) in SIZES {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 0);
        snapshot!("empty", &app);
    }
}

#[test]
fn a_screen_that_is_too_small_says_so() {
    snapshot!("small", &browsing(40, 12));
}

/// Text and style are separate, so that a change of colour does not hide a change of the layout.
#[test]
fn each_theme_styles_the_same_frame() {
    for (name, theme) in Theme::ALL {
        let config = UiConfig {
            theme: *theme,
            ..UiConfig::default()
        };
        let size = ratatui::layout::Size {
            width: 60,
            height: 15,
        };
        let mut app = App::new(config, size, now(), status());
        settle(&mut app, Message::Tick(now()), 3);
        let styles: Vec<String> = frame(&app)
            .content()
            .chunk_by(|a, b| a.style() == b.style())
            .map(|run| {
                let text: String = run.iter().map(ratatui::buffer::Cell::symbol).collect();
                let style = run
                    .first()
                    .map(ratatui::buffer::Cell::style)
                    .unwrap_or_default();
                format!("{:?} {:?} {:?}", text.trim(), style.fg, style.add_modifier)
            })
            .filter(|line| !line.starts_with("\"\""))
            .collect();
        insta::assert_snapshot!(format!("style_{name}"), styles.join("\n"));
    }
}

#[test]
fn windows_over_the_panes() {
    let windows = [
        ("copy", "y"),
        ("health", "i"),
        ("palette", ": r e p l"),
        ("confirm", "m m m r"),
        ("options", "R"),
        ("export", "m m x"),
        ("import", "I"),
        ("note", "; a s k space A n n"),
        ("filter", "/ s t a t u s : x"),
        ("find", "enter 3 / i t e m"),
    ];
    for ((width, height), (name, keys)) in product(SIZES, windows) {
        let mut app = browsing(width, height);
        press(&mut app, keys, 1_204);
        snapshot!(name, &app);
    }
}

#[test]
fn a_burst_is_one_line_and_signs_tell_what_rows_are() {
    for (width, height) in SIZES {
        let mut app = app(width, height);
        let mut rows: Vec<EventRow> = [1_204, 1_203, 890, 889, 888].map(row).into();
        rows[1].burst = Some(burst(892, 1_203));
        rows[2].note = Some("ask Ann".to_owned());
        rows[4].burst = Some(burst(700, 888));
        for effect in app.update(Message::Tick(now())) {
            if let Effect::List(ListEffect::LoadPage { generation, .. }) = effect {
                let result = Ok(rows.clone().into());
                let page = FeatureAnswer::List(ListAnswer::Page { generation, result });
                settle(&mut app, Message::Answer(page), 1_204);
            }
        }
        press(&mut app, "j j m", 1_204);
        snapshot!("burst", &app);
    }
}

#[test]
fn what_podio_told_and_what_was_edited_are_shown_as_changes() {
    for (width, height) in SIZES {
        let mut app = browsing(width, height);
        let change = |field: &str, from: &str, to: &str| ExplainedField {
            field: field.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let explanation = Explanation {
            title: Some("Login fails on Safari".to_owned()),
            app: Some("Bugs".to_owned()),
            who: Some("Ann Smith".to_owned()),
            link: Some("https://podio.com/acme/crm/apps/bugs/items/17".to_owned()),
            changes: vec![
                change("Status", "Open", "Closed"),
                change("Due date", "2026-12-01", ""),
            ],
            ..Explanation::default()
        };
        let (id, result) = (id(1_204), Ok(Box::new(explanation)));
        settle(
            &mut app,
            Message::Answer(FeatureAnswer::Explain(ExplainAnswer::Explained {
                id,
                result,
            })),
            1_204,
        );
        snapshot!("explained", &app);

        let mut app = browsing(width, height);
        let key: crate::keymap::KeyPress = "e".parse().unwrap();
        let effects = app.update(Message::Key(key.into()));
        let Some(Effect::OpenEditor(crate::edit::EditorFile { id, before, .. })) =
            effects.first().cloned()
        else {
            panic!("{effects:?}");
        };
        let result = Ok(before.replace("item_id=4711", "item_id=4712"));
        let edited = FeatureAnswer::Edit(EditAnswer::Edited { id, before, result });
        settle(&mut app, Message::Answer(edited), 1_204);
        snapshot!("edited", &app);
    }
}

#[test]
fn notices_stand_over_the_panes_and_go() {
    for (width, height) in SIZES {
        let mut app = browsing(width, height);
        let (id, result) = (id(1_204), Err("the disk is full".to_owned()));
        settle(
            &mut app,
            Message::Answer(FeatureAnswer::Replay(ReplayAnswer::Replayed { id, result })),
            1_204,
        );
        let result = Ok((2, "crm.har".into()));
        settle(
            &mut app,
            Message::Answer(FeatureAnswer::Archive(ArchiveAnswer::Exported { result })),
            1_204,
        );
        snapshot!("notices", &app);
    }
}

#[test]
fn what_the_agent_found_out_is_told() {
    for (width, height) in SIZES {
        let mut app = browsing(width, height);
        let loops = vec![found_loop()];
        let changes = Changes {
            loops,
            ..Changes::default()
        };
        settle(&mut app, Message::Changed(changes), 1_204);
        snapshot!("loop", &app);
    }
}

fn found_loop() -> LoopFinding {
    LoopFinding {
        object: ObjectRef {
            kind: ObjectKind::Item,
            id: 4_711,
        },
        hook_id: 90_211,
        event_type: "item.update".to_owned(),
        event: id(1_204),
        position: Position(1_204),
        times: (0..14)
            .map(|second| now() + SignedDuration::from_secs(second))
            .collect(),
        revisions: Vec::new(),
        consecutive: true,
        shape: LoopShape::Same,
        maker: Maker::default(),
    }
}
