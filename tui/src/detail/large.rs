//! Tests that a body of one mebibyte on one line, the maximum that is shown, is laid
//! out, searched, scrolled and drawn. With code that is quadratic in the length of a
//! line, these tests would not end.

use super::render_options::RenderOptions;
use crate::alignment::send;
use crate::app::App;
use crate::keymap::KeyPress;
use crate::message::Message;
use crate::testing::{app, attempts, frame, now, options, row, text, with_body};

const MIB: usize = 1024 * 1024;

fn on_one_line(part: &str) -> Vec<u8> {
    let mut body = part.repeat(MIB / part.len()).into_bytes();
    body.truncate(MIB - 6);
    body.extend(b"needle");
    body
}

/// Presses keys on an event with this body.
fn app_after(body: &[u8], keys: &str) -> App {
    let full = super::FullEvent {
        event: with_body(7, body),
        attempts: attempts(7),
        explanation: None,
    };
    let row = row(7);
    let mut app = app(120, 40);
    send(&mut app, Message::Tick(now()), &row, &full);
    for key in keys.split(' ') {
        let key: KeyPress = key.parse().unwrap();
        send(&mut app, Message::Key(key.into()), &row, &full);
        frame(&app);
    }
    app
}

#[test]
fn a_mebibyte_on_one_line_is_searched_and_shown_in_both_ways() {
    // ASCII text, and an endless grapheme of wide characters.
    for part in ["x", "ᄀ"] {
        let app = app_after(&on_one_line(part), "enter 3 b / d l e enter n W > < N");
        let rows = app.detail.rows();
        let last = rows.len() - 1;
        assert_eq!(app.detail.find.hits.row(0), Some(last), "{part:?}");
        let shown = text(&frame(&app));
        assert!(shown.contains("needle"), "{part:?}\n{shown}");
    }
}

#[test]
fn an_unwrapped_line_is_one_row_however_long_it_is() {
    let app = app_after(&on_one_line("x"), "enter 3 b W");
    let opened = app.detail.open_event().unwrap();
    let unwrapped = RenderOptions {
        wrap: false,
        form: super::BodyForm::Text,
        ..options(opened.options.width)
    };
    assert_eq!(opened.options, unwrapped);
    assert_eq!(app.detail.rows().widest(), MIB);
}
