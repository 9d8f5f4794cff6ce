//! The forms for an export and for an import.

use std::path::PathBuf;

use podtap_agent::Target;
use podtap_agent::export::archive::{ArchiveFormat, ArchiveSelection};

use super::effect::ArchiveEffect;
use crate::env::Env;
use crate::list::marks::MOST_MARKS;
use crate::list::{EventChoice, List};
use crate::widget::form::{Choice, Fields, Text, fields};

/// The formats of an archive, each with its name in the form and its file extension.
const FORMATS: [(ArchiveFormat, &str, &str); 2] = [
    (ArchiveFormat::Har, "HTTP archive (HAR)", "har"),
    (ArchiveFormat::Ndjson, "JSON lines", "ndjson"),
];

/// Maximum number of events per archive if all events of the filter are exported: the
/// same as the maximum number of marks.
const MOST_EXPORTED: usize = MOST_MARKS;

/// The form for an export: which events, in which format, to which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportForm {
    events: Choice<EventChoice>,
    format: Choice<ArchiveFormat>,
    file: Text,
    /// The format whose extension the file name was last given.
    followed: ArchiveFormat,
}

impl ExportForm {
    /// Creates the form with the events that the list offers; `None` if it offers none.
    pub(crate) fn new(list: &List, tunnel: Option<&str>, env: Env<'_>) -> Option<Self> {
        let events = list.choices();
        if events.is_empty() {
            return None;
        }
        let formats = FORMATS.map(|(format, name, _)| (format, name.to_owned()));
        let (followed, _, end) = FORMATS[0];
        let now = env.now.to_zoned_datetime(env.zone.clone());
        let tunnel = tunnel.unwrap_or("podtap");
        let usual = format!("{tunnel}-{}.{end}", now.strftime("%Y%m%d-%H%M%S"));
        Some(Self {
            events: Choice::new("Export", events, 0),
            format: Choice::new("As", formats.into(), 0),
            file: file_field(&usual),
            followed,
        })
    }

    /// Returns the export that the form describes. Events that were never delivered are exported
    /// as if they had gone to `target`.
    ///
    /// # Errors
    /// Why the form cannot be submitted, in words.
    pub(crate) fn read(&self, target: Target) -> Result<ArchiveEffect, String> {
        let file = named_file(&self.file)?;
        let selection = match self.events.chosen_option().cloned() {
            Some(EventChoice::These(events)) => ArchiveSelection::Events(events),
            Some(EventChoice::All(filter)) => ArchiveSelection::Filter {
                filter,
                most: MOST_EXPORTED,
            },
            None => return Err("there is nothing to export".to_owned()),
        };
        Ok(ArchiveEffect::Export {
            selection: Box::new(selection),
            format: self.format(),
            target,
            file,
        })
    }

    fn format(&self) -> ArchiveFormat {
        self.format
            .chosen_option()
            .copied()
            .unwrap_or(self.followed)
    }
}

impl Fields for ExportForm {
    fields!(events, format, file);

    fn title(&self) -> &'static str {
        "Export"
    }

    fn verb(&self) -> &'static str {
        "export"
    }

    /// Replaces the extension of the file name by the extension of the chosen format, if the file
    /// name has the extension of a format.
    fn follow_choice(&mut self) {
        let format = self.format();
        if format == self.followed {
            return;
        }
        self.followed = format;
        let chosen = FORMATS.iter().find(|(known, ..)| *known == format);
        let (.., end) = chosen.unwrap_or(&FORMATS[0]);
        let typed = self.file.text();
        let is_format = |end: &str| FORMATS.iter().any(|(.., known)| *known == end);
        let file = match typed.rsplit_once('.') {
            Some((stem, former)) if is_format(former) => format!("{stem}.{end}"),
            _ => typed,
        };
        self.file = file_field(&file);
    }
}

/// The form for an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportForm {
    file: Text,
}

impl ImportForm {
    /// Creates an empty form.
    pub(crate) fn new() -> Self {
        Self {
            file: Text::new("File", "", "HAR, or the JSON lines of podtap"),
        }
    }

    /// Returns the path of the archive.
    ///
    /// # Errors
    /// Why the form cannot be submitted, in words.
    pub(super) fn file(&self) -> Result<PathBuf, String> {
        named_file(&self.file)
    }
}

impl Fields for ImportForm {
    fields!(file);

    fn title(&self) -> &'static str {
        "Import"
    }

    fn verb(&self) -> &'static str {
        "import"
    }
}

fn file_field(file: &str) -> Text {
    Text::new("File", file, "where to")
}

fn named_file(field: &Text) -> Result<PathBuf, String> {
    match field.text().trim() {
        "" => Err("name a file".to_owned()),
        file => Ok(PathBuf::from(file)),
    }
}
