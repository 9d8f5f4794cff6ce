//! Tests of export and import without a terminal: what the forms ask, refuse and report.

use std::path::PathBuf;

use podtap_agent::export::archive::{ArchiveFormat, ArchiveSelection};
use podtap_agent::import::ImportReport;

use super::*;
use crate::effect::Effect;
use crate::message::{FeatureAnswer, Message};
use crate::testing::{app_after, frame, id, send_form, text};

#[test]
fn what_is_marked_goes_into_the_file_that_is_named() {
    let mut app = app_after("m m x tab right");
    let effects = send_form(&mut app);
    let [
        Effect::Archive(ArchiveEffect::Export {
            selection,
            format,
            file,
            ..
        }),
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        **selection,
        ArchiveSelection::Events(vec![id(499), id(500)])
    );
    assert_eq!(*format, ArchiveFormat::Ndjson);
    assert_eq!(*file, PathBuf::from("crm-20261123-120432.ndjson"));

    let result = Ok((2, file.clone()));
    app.update(Message::Answer(FeatureAnswer::Archive(
        ArchiveAnswer::Exported { result },
    )));
    let shown = text(&frame(&app));
    assert!(shown.contains("Exported 2 events to crm-"), "{shown}");
}

#[test]
fn a_file_that_was_named_stays_when_another_form_is_chosen() {
    for (named, kept) in [("/ a", "/a"), ("a . h a r", "a.ndjson")] {
        let mut app = app_after(&format!("x tab tab ctrl-u {named} shift-tab right"));
        let effects = send_form(&mut app);
        let [Effect::Archive(ArchiveEffect::Export { file, .. })] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        assert_eq!(*file, PathBuf::from(kept));
    }
}

#[test]
fn without_a_file_nothing_is_written_or_read() {
    for keys in ["x tab tab ctrl-u", "I"] {
        let mut app = app_after(keys);
        assert_eq!(send_form(&mut app), []);
        let shown = text(&frame(&app));
        assert!(shown.contains("name a file"), "{shown}");
    }
}

#[test]
fn what_cannot_be_written_or_read_brings_the_form_back_with_its_name() {
    let export = FeatureAnswer::Archive(ArchiveAnswer::Exported {
        result: Err("the file is there already".to_owned()),
    });
    let import = FeatureAnswer::Archive(ArchiveAnswer::Imported {
        result: Err("there is no such file".to_owned()),
    });
    for (keys, answer, told) in [
        (
            "x tab tab ctrl-u o l d . h a r",
            export,
            "the file is there already",
        ),
        ("I o l d . h a r", import, "there is no such file"),
    ] {
        let mut app = app_after(keys);
        assert_eq!(send_form(&mut app).len(), 1);
        app.update(Message::Answer(answer.clone()));
        let shown = text(&frame(&app));
        assert!(shown.contains(told) && shown.contains("old.har"), "{shown}");
        assert_eq!(send_form(&mut app).len(), 1, "it can be sent again");

        let other: crate::keymap::KeyPress = "?".parse().unwrap();
        app.update(Message::Key(other.into()));
        app.update(Message::Answer(answer));
        let shown = text(&frame(&app));
        assert!(shown.contains("Keys") && shown.contains(told), "{shown}");
    }
}

#[test]
fn an_import_says_what_was_new() {
    let mut app = app_after("I o l d . h a r");
    let file = PathBuf::from("old.har");
    assert_eq!(
        send_form(&mut app),
        [Effect::Archive(ArchiveEffect::Import { file })]
    );
    let result = Ok(ImportReport {
        new: 3,
        known: 1,
        skipped: 2,
        ..ImportReport::default()
    });
    app.update(Message::Answer(FeatureAnswer::Archive(
        ArchiveAnswer::Imported { result },
    )));
    let shown = text(&frame(&app));
    let told = "Imported 3 events; 1 already there, 2 skipped";
    assert!(shown.contains(told), "{shown}");
}
