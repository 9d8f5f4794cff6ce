//! Snapshots of the detail: other forms of a body, lines that continue beyond the edge, selected
//! lines, and the keys that ask what changed.

use crate::app::App;
use crate::keymap::{Action, Keymap};
use crate::message::Message;
use crate::testing::{app, frame, now, press, settle, text};

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 60)];

fn screen_after(width: u16, height: u16, keys: &str) -> App {
    let mut app = app(width, height);
    settle(&mut app, Message::Tick(now()), 1_204);
    press(&mut app, keys, 1_204);
    app
}

#[test]
fn the_detail_at_every_size() {
    let scenes = [
        ("hex", "enter 3 b b"),
        ("json", "enter 4 b b b"),
        ("unwrapped", "enter 3 b W >"),
        ("found_aside", "enter 3 b W / b u g - 1 7 enter"),
        ("selection", "enter 3 j v j j"),
    ];
    for (width, height) in SIZES {
        for (name, keys) in scenes {
            let frame = text(&frame(&screen_after(width, height, keys)));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), frame);
        }
    }
}

#[test]
fn the_form_of_the_body_is_seen_on_every_screen() {
    for (width, height) in SIZES {
        for (keys, form) in [
            ("enter 3 b", "text"),
            ("enter 3 b b", "hex"),
            ("enter 3 b b b", "form"),
            ("enter 4 b b b", "JSON"),
        ] {
            let shown = text(&frame(&screen_after(width, height, keys)));
            let form = format!("B · {form}");
            assert!(shown.contains(&form), "{keys} {form}\n{shown}");
        }
    }
}

#[test]
fn a_tab_that_knows_nothing_names_the_keys_that_find_out() {
    let keymap = Keymap::default();
    let hint: Vec<String> = super::diff::hint(&keymap)
        .iter()
        .map(crate::line::Line::text)
        .collect();
    let key = keymap.key(Action::Explain).unwrap().to_string();
    assert!(hint[0].starts_with(&key), "{hint:?}");
    for (width, height) in SIZES {
        let shown = text(&frame(&screen_after(width, height, "enter 6")));
        for line in &hint {
            assert!(shown.contains(line), "{line}\n{shown}");
        }
    }
}

#[test]
fn turning_wrapping_off_and_on_stays_at_the_same_line() {
    let mut app = screen_after(60, 15, "enter 3 j j j");
    let height = usize::from(app.layout().unwrap().sheet().height);
    let top = |app: &App| {
        let (rows, first) = (app.detail.rows(), app.detail.first(height));
        rows.text(rows.whole(first, first))
    };
    let before = top(&app);
    press(&mut app, "W W", 1_204);
    assert_eq!(top(&app), before);
}
