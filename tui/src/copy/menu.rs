//! The menu that lists the forms in which the selected event can be copied.

use podtap_agent::history::{Event, EventRow};
use podtap_agent::{EventId, Target, export};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::KeyPress;
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::safe_text::SafeText;
use crate::theme::Role;
use crate::words;

/// Maximum number of bytes to copy. Terminals silently drop longer text.
pub(super) const MOST: usize = 256 * 1024;

/// A form in which an event is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyForm {
    Curl,
    Httpie,
    Raw,
    Json,
    Body,
    Url,
    Id,
}

impl CopyForm {
    const ALL: [(char, Self, &str); 7] = [
        ('c', Self::Curl, "curl command"),
        ('h', Self::Httpie, "httpie command"),
        ('r', Self::Raw, "raw HTTP request"),
        ('j', Self::Json, "JSON object"),
        ('b', Self::Body, "body"),
        ('u', Self::Url, "public URL"),
        ('i', Self::Id, "event id"),
    ];

    /// Returns every form, in the order of the menu.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().map(|(_, form, _)| form)
    }

    /// Returns the letter of the form in the menu.
    pub(crate) fn letter(self) -> char {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|(_, form, _)| *form == self);
        found.map_or(' ', |(letter, ..)| letter)
    }

    /// Returns the form whose letter in the menu is this key.
    pub(crate) fn of(key: KeyPress) -> Option<Self> {
        let typed = key.typed_char()?;
        let (_, form, _) = Self::ALL
            .into_iter()
            .find(|(letter, ..)| *letter == typed)?;
        Some(form)
    }

    /// Returns the name of the form.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(_, form, _)| *form == self)
            .map_or("", |(.., name)| name)
    }

    /// Returns the event in this form, or the reason why it cannot be copied. `local` is the local
    /// service, `public` the tunnel's public URL.
    pub(crate) fn bytes(
        self,
        event: &Event,
        local: Option<&Target>,
        public: Option<&str>,
    ) -> Result<Vec<u8>, String> {
        let request = &event.request;
        if request.body.len() > MOST {
            let id = words::short_id(event.id);
            return Err(format!(
                "too large for the clipboard; use `podtap show {id} --raw`"
            ));
        }
        let public =
            public.map(|public| format!("{}{}", public.trim_end_matches('/'), request.path));
        // A local service that is a command has no URL for another tool to call.
        let local = local.filter(|local| local.url().is_some());
        let url = match (local, &public) {
            (Some(local), _) => local.with_path(&request.path),
            (None, Some(public)) => public.clone(),
            (None, None) => Target::default().with_path(&request.path),
        };
        let bytes = match self {
            Self::Curl => export::curl::curl(request, &url).into_bytes(),
            Self::Httpie => export::httpie::httpie(request, &url)
                .map_err(|why| why.to_string())?
                .into_bytes(),
            Self::Raw => export::raw::raw(request),
            Self::Json => export::json::EventObject::new(event, None)
                .to_pretty()
                .into_bytes(),
            Self::Body => request.body.to_vec(),
            Self::Url => {
                let none = "there is no public URL without a relay";
                public.ok_or(none)?.into_bytes()
            }
            Self::Id => event.id.to_string().into_bytes(),
        };
        Ok(bytes)
    }
}

/// The open menu: the event for which it was opened, and that event's name. Without an event,
/// only the tunnel's URL can be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyMenu(pub(super) Option<(EventId, String)>);

/// Cells of the window in addition to the event's name.
const WIDTH: usize = 20;

/// Returns whether bytes contain control characters, which some terminals obey when text is pasted.
/// Line breaks and tabs do not count: bodies contain them, and a person expects them.
pub(super) fn is_obeyed(bytes: &[u8]) -> bool {
    let mut chars = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
    chars.any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

impl CopyMenu {
    /// Creates the menu for the selected event. Without an event it still offers the tunnel's URL.
    pub(crate) fn new(selected: Option<&EventRow>) -> Self {
        Self(selected.map(|row| (row.id, words::event(row))))
    }

    /// Returns the forms that the menu offers.
    fn forms(&self) -> impl Iterator<Item = CopyForm> + Clone {
        let has_event = self.0.is_some();
        let forms = CopyForm::ALL.into_iter().map(|(_, form, _)| form);
        forms.filter(move |form| has_event || *form == CopyForm::Url)
    }

    /// Returns the form on a line of the menu.
    pub(crate) fn at(&self, line: usize) -> Option<CopyForm> {
        self.forms().nth(line)
    }

    fn title(&self) -> String {
        match &self.0 {
            Some((_, name)) => format!("Copy {name}"),
            None => "Copy".to_owned(),
        }
    }

    /// Returns the area of the menu.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        let width = cells(SafeText::new(&self.title()).width() + WIDTH);
        centered(screen, width, cells(self.forms().count() + 2))
    }
}

/// Draws the menu over `screen`.
pub(crate) fn view(menu: &CopyMenu, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
    let area = menu.area(screen);
    Clear.render(area, buffer);
    let titles = Titles {
        left: Line::of(Role::Strong, menu.title()),
        right: Line::of(Role::Quiet, env.keymap.closes()),
        ..Titles::default()
    };
    Frame {
        focused: true,
        titles,
    }
    .draw(area, env.theme, buffer);
    for (form, row) in menu.forms().zip(inner(area).rows()) {
        let line = Line::new()
            .column(Role::Accent, form.letter().to_string(), 3)
            .with(Role::Plain, form.name());
        line.draw(row, env.theme, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::event;

    #[test]
    fn what_a_terminal_obeys_is_known() {
        for (bytes, obeyed) in [
            (&b"a=1\r\n\tb"[..], false),
            (b"\x1b[201~", true),
            (b"\x7f", true),
            ("\u{9b}2J".as_bytes(), true),
            (b"\0", true),
        ] {
            assert_eq!(is_obeyed(bytes), obeyed, "{bytes:?}");
        }
    }

    #[test]
    fn every_form_has_its_letter_and_its_text() {
        let public = "https://hooks.example.com/key/";
        for (letter, form, _) in CopyForm::ALL {
            assert_eq!(
                CopyForm::of(letter.to_string().parse().unwrap()),
                Some(form)
            );
            let bytes = form
                .bytes(&event(7), Some(&Target::default()), Some(public))
                .unwrap();
            assert!(!bytes.is_empty(), "{form:?}");
        }
        let url = CopyForm::Url.bytes(&event(7), None, Some(public)).unwrap();
        assert_eq!(url, b"https://hooks.example.com/key/podio/hook");
        assert!(CopyForm::Url.bytes(&event(7), None, None).is_err());
    }
}
