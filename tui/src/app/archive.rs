//! Events into a file and back: an archive is written where the person says, and what one holds
//! comes into the history, on record only.

use std::path::PathBuf;

use podtap_agent::export::archive::{Format, Selection};
use podtap_agent::import::Report;

use super::App;
use crate::archive::ArchiveEffect;
use crate::effect::{Effect, Slot};
use crate::list::EventChoice;
use crate::list::marks::MOST_MARKS;
use crate::modal::{Modal, Purpose};
use crate::theme::Role;
use crate::widget::form::{Field, FieldName, Form};
use crate::words;

/// The forms of an archive, as the form names them, with the end of their files' names.
const FORMATS: [(Format, &str, &str); 2] = [
    (Format::Har, "HTTP archive (HAR)", "har"),
    (Format::Ndjson, "JSON lines", "ndjson"),
];

/// The forms' fields.
const EVENTS: FieldName = FieldName("events");
const FORMAT: FieldName = FieldName("format");
const FILE: FieldName = FieldName("file");

/// What of the filter's events goes into one archive at most: as many as can be marked.
const MOST_EXPORTED: usize = MOST_MARKS;

impl App {
    /// Asks what shall be exported, as what, and where to.
    pub(super) fn export(&mut self) {
        let (which, named): (Vec<_>, Vec<_>) = self.list.choices().into_iter().unzip();
        if which.is_empty() {
            return;
        }
        let forms = FORMATS.iter().map(|(_, name, _)| (*name).to_owned());
        let fields = vec![
            Field::choice(EVENTS, "Export", named, 0),
            Field::choice(FORMAT, "As", forms.collect(), 0),
            file_field(&self.usual_file()),
        ];
        let purpose = Box::new(Purpose::Export(which));
        let form = Form::new("Export", "export", fields);
        self.modals.push(Modal::Form(form, purpose));
    }

    /// Another form of archive was chosen: where the file's name has the end of a form, it has
    /// that of the chosen one from now on.
    pub(super) fn export_chosen(&mut self, field: FieldName) {
        if field != FORMAT {
            return;
        }
        if let Some(Modal::Form(form, _)) = self.modals.last_mut() {
            let (.., end) = FORMATS
                .get(form.chosen_index(FORMAT))
                .unwrap_or(&FORMATS[0]);
            let typed = form.text(FILE);
            let is_form = |end: &str| FORMATS.iter().any(|(.., known)| *known == end);
            let file = match typed.rsplit_once('.') {
                Some((stem, former)) if is_form(former) => format!("{stem}.{end}"),
                _ => typed,
            };
            form.replace_after(FORMAT, vec![file_field(&file)]);
        }
    }

    /// The form says what shall be exported. Says what cannot be.
    pub(super) fn export_as_filled(
        &mut self,
        form: &Form,
        mut which: Vec<EventChoice>,
    ) -> Result<(), String> {
        let file = named_file(&form.text(FILE))?;
        let (format, ..) = FORMATS
            .get(form.chosen_index(FORMAT))
            .unwrap_or(&FORMATS[0]);
        let chosen = form.chosen_index(EVENTS).min(which.len().saturating_sub(1));
        let selection = match which.swap_remove(chosen) {
            EventChoice::These(events) => Selection::Events(events),
            EventChoice::All(filter) => Selection::Filter {
                filter,
                most: MOST_EXPORTED,
            },
        };
        self.effects.push(Effect::Archive(ArchiveEffect::Export {
            selection: Box::new(selection),
            format: *format,
            target: self.status.target.clone().unwrap_or_default(),
            file,
        }));
        Ok(())
    }

    /// The archive is written, or could not be.
    pub(super) fn exported(&mut self, result: Result<(u64, PathBuf), String>) {
        let (many, file) = match result {
            Ok(exported) => exported,
            Err(error) => return self.refused(error),
        };
        let many = words::count(many, "event");
        let text = format!("Exported {many} to {}", file.display());
        self.toasts.show(Role::Ok, text, self.now);
    }

    /// Asks which archive shall be imported.
    pub(super) fn import(&mut self) {
        let otherwise = "HAR, or the JSON lines of podtap";
        let form = Form::new(
            "Import",
            "import",
            vec![Field::text(FILE, "File", "", otherwise)],
        );
        let purpose = Box::new(Purpose::Import);
        self.modals.push(Modal::Form(form, purpose));
    }

    /// The form says what shall be imported. Says what cannot be.
    pub(super) fn import_as_filled(&mut self, form: &Form) -> Result<(), String> {
        let file = named_file(&form.text(FILE))?;
        if self.importing.is_some() {
            return Err("another archive is being imported; wait for it, or stop it".to_owned());
        }
        self.importing = Some((file.display().to_string(), self.rate.others()));
        self.effects
            .push(Effect::Archive(ArchiveEffect::Import { file }));
        Ok(())
    }

    /// How many events were imported so far, while some are.
    pub(crate) fn imported_so_far(&self) -> Option<u64> {
        let (_, before) = self.importing.as_ref()?;
        Some(self.rate.others().saturating_sub(*before))
    }

    /// Imports no more; says what was taken over.
    pub(super) fn stop_importing(&mut self) {
        let taken = self.imported_so_far();
        let Some(((name, _), taken)) = self.importing.take().zip(taken) else {
            return;
        };
        self.effects.push(Effect::Stop(Slot::Import));
        let taken = words::count(taken, "event");
        let text = format!("Stopped importing {name}: {taken} were taken over");
        self.toasts.show(Role::Quiet, text, self.now);
    }

    /// The archive was imported, or as much of it as could be.
    pub(super) fn imported(&mut self, result: Result<Report, String>) {
        self.importing = None;
        let report = match result {
            Ok(report) => report,
            Err(error) => return self.refused(error),
        };
        let new = words::count(report.new, "event");
        let known = words::number(report.known);
        let mut text = format!("Imported {new}; {known} already there");
        if report.skipped > 0 {
            text += &format!(", {} skipped", words::number(report.skipped));
        }
        let (role, text) = match report.broken_off {
            None => (Role::Ok, text),
            Some(place) => (Role::Failed, format!("{text}; the file breaks off {place}")),
        };
        self.toasts.show(role, text, self.now);
    }

    /// What the file is called unless a person calls it otherwise.
    fn usual_file(&self) -> String {
        let (.., end) = FORMATS[0];
        let tunnel = self.status.tunnel.as_deref().unwrap_or("podtap");
        let now = self.now.to_zoned_datetime(self.zone().clone());
        format!("{tunnel}-{}.{end}", now.strftime("%Y%m%d-%H%M%S"))
    }
}

fn file_field(file: &str) -> Field {
    Field::text(FILE, "File", file, "where to")
}

fn named_file(text: &str) -> Result<PathBuf, String> {
    match text.trim() {
        "" => Err("name a file".to_owned()),
        file => Ok(PathBuf::from(file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::ArchiveAnswer;
    use crate::message::{Answer, Message};
    use crate::testing::{frame, id, pressed, sent, text};

    #[test]
    fn what_is_marked_goes_into_the_file_that_is_named() {
        let mut app = pressed("m m x tab right");
        let effects = sent(&mut app);
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
        assert_eq!(**selection, Selection::Events(vec![id(499), id(500)]));
        assert_eq!(*format, Format::Ndjson);
        assert_eq!(*file, PathBuf::from("crm-20261123-120432.ndjson"));

        let result = Ok((2, file.clone()));
        app.update(Message::Answer(Answer::Archive(ArchiveAnswer::Exported {
            result,
        })));
        let shown = text(&frame(&app));
        assert!(shown.contains("Exported 2 events to crm-"), "{shown}");
    }

    #[test]
    fn a_file_that_was_named_stays_when_another_form_is_chosen() {
        for (named, kept) in [("/ a", "/a"), ("a . h a r", "a.ndjson")] {
            let mut app = pressed(&format!("x tab tab ctrl-u {named} shift-tab right"));
            let effects = sent(&mut app);
            let [Effect::Archive(ArchiveEffect::Export { file, .. })] = effects.as_slice() else {
                panic!("{effects:?}");
            };
            assert_eq!(*file, PathBuf::from(kept));
        }
    }

    #[test]
    fn without_a_file_nothing_is_written_or_read() {
        for keys in ["x tab tab ctrl-u", "I"] {
            let mut app = pressed(keys);
            assert_eq!(sent(&mut app), []);
            let shown = text(&frame(&app));
            assert!(shown.contains("name a file"), "{shown}");
        }
    }

    #[test]
    fn what_cannot_be_written_or_read_brings_the_form_back_with_its_name() {
        let export = Answer::Archive(ArchiveAnswer::Exported {
            result: Err("the file is there already".to_owned()),
        });
        let import = Answer::Archive(ArchiveAnswer::Imported {
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
            let mut app = pressed(keys);
            assert_eq!(sent(&mut app).len(), 1);
            app.update(Message::Answer(answer.clone()));
            let shown = text(&frame(&app));
            assert!(shown.contains(told) && shown.contains("old.har"), "{shown}");
            assert_eq!(sent(&mut app).len(), 1, "it can be sent again");

            let other: crate::keymap::Key = "?".parse().unwrap();
            app.update(Message::Key(other.into()));
            app.update(Message::Answer(answer));
            let shown = text(&frame(&app));
            assert!(shown.contains("Keys") && shown.contains(told), "{shown}");
        }
    }

    #[test]
    fn an_import_says_what_was_new() {
        let mut app = pressed("I o l d . h a r");
        let file = PathBuf::from("old.har");
        assert_eq!(
            sent(&mut app),
            [Effect::Archive(ArchiveEffect::Import { file })]
        );
        let result = Ok(Report {
            new: 3,
            known: 1,
            skipped: 2,
            ..Report::default()
        });
        app.update(Message::Answer(Answer::Archive(ArchiveAnswer::Imported {
            result,
        })));
        let shown = text(&frame(&app));
        let told = "Imported 3 events; 1 already there, 2 skipped";
        assert!(shown.contains(told), "{shown}");
    }
}
