//! What of the selected event shall be copied.

use podtap_agent::history::Event;
use podtap_agent::{EventId, export};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::app::{App, short};
use crate::frame::{Frame, Titles};
use crate::keymap::Key;
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::safe_text::SafeText;
use crate::theme::Role;

/// Bytes that are copied at most: terminals drop longer ones without a word.
pub(crate) const MOST: usize = 256 * 1024;

/// A form in which an event is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Curl,
    Httpie,
    Raw,
    Json,
    Body,
    Url,
    Id,
}

impl Form {
    const ALL: [(char, Self, &str); 7] = [
        ('c', Self::Curl, "curl command"),
        ('h', Self::Httpie, "httpie command"),
        ('r', Self::Raw, "raw HTTP request"),
        ('j', Self::Json, "JSON object"),
        ('b', Self::Body, "body"),
        ('u', Self::Url, "public URL"),
        ('i', Self::Id, "event id"),
    ];

    /// The form that a key of the menu stands for.
    pub(crate) fn of(key: Key) -> Option<Self> {
        let typed = key.typed()?;
        let (_, form, _) = Self::ALL
            .into_iter()
            .find(|(letter, ..)| *letter == typed)?;
        Some(form)
    }

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find(|(_, form, _)| *form == self)
            .map_or("", |(.., name)| name)
    }

    /// The event in this form, or why not. `local` is the local service's URL, `public` the
    /// tunnel's.
    pub(crate) fn bytes(
        self,
        event: &Event,
        local: Option<&str>,
        public: Option<&str>,
    ) -> Result<Vec<u8>, String> {
        let request = &event.request;
        if request.body.len() > MOST {
            let id = short(event.id);
            return Err(format!(
                "too large for the clipboard; use `podtap show {id} --raw`"
            ));
        }
        let base = local
            .or(public)
            .unwrap_or("http://localhost:3000")
            .trim_end_matches('/');
        let bytes = match self {
            Self::Curl => export::curl::curl(request, base).into_bytes(),
            Self::Httpie => export::curl::httpie(request, base).into_bytes(),
            Self::Raw => export::raw::raw(request),
            Self::Json => export::json::EventObject::new(event, None)
                .to_pretty()
                .into_bytes(),
            Self::Body => request.body.to_vec(),
            Self::Url => {
                let public = public.ok_or("there is no public URL without a relay")?;
                format!("{}{}", public.trim_end_matches('/'), request.path).into_bytes()
            }
            Self::Id => event.id.to_string().into_bytes(),
        };
        Ok(bytes)
    }
}

/// The open menu: the event for which it was opened, and what that is called. Without one there
/// is only the URL to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copying(pub(crate) Option<(EventId, String)>);

/// Cells of the window beside the event's name.
const WIDTH: usize = 20;

/// Draws the menu over `screen`.
pub(crate) fn view(copying: &Copying, app: &App, screen: Rect, buffer: &mut Buffer) {
    let forms = Form::ALL
        .iter()
        .filter(|(_, form, _)| copying.0.is_some() || *form == Form::Url);
    let name = match &copying.0 {
        Some((_, name)) => format!("Copy {name}"),
        None => "Copy".to_owned(),
    };
    let width = cells(SafeText::new(&name).width() + WIDTH);
    let area = centered(screen, width, cells(forms.clone().count() + 2));
    Clear.render(area, buffer);
    let titles = Titles {
        left: Line::of(Role::Strong, name),
        right: Line::of(Role::Quiet, app.keymap().closes()),
        ..Titles::default()
    };
    Frame {
        focused: true,
        titles,
    }
    .draw(area, app.theme(), buffer);
    for ((letter, _, name), row) in forms.zip(inner(area).rows()) {
        let line = Line::new()
            .column(Role::Accent, letter.to_string(), 3)
            .put(Role::Plain, *name);
        line.draw(row, app.theme(), buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::event;

    #[test]
    fn every_form_has_its_letter_and_its_text() {
        let public = "https://hooks.example.com/key/";
        for (letter, form, _) in Form::ALL {
            assert_eq!(Form::of(letter.to_string().parse().unwrap()), Some(form));
            let bytes = form
                .bytes(&event(7), Some("http://localhost:3000"), Some(public))
                .unwrap();
            assert!(!bytes.is_empty(), "{form:?}");
        }
        let url = Form::Url.bytes(&event(7), None, Some(public)).unwrap();
        assert_eq!(url, b"https://hooks.example.com/key/podio/hook");
        assert!(Form::Url.bytes(&event(7), None, None).is_err());
    }
}
