//! The options with which the open event is laid out: the width, whether lines wrap, and the form
//! of the bodies. Plain data that goes to the executor and returns with the laid-out event.

use podtap_agent::EventId;

use super::{Detail, Tab};
use crate::keymap::Action;

/// How to lay out an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RenderOptions {
    /// Cells per line on the screen.
    pub(crate) width: usize,
    /// The form of the bodies.
    pub(crate) form: BodyForm,
    /// Whether longer lines continue on the next row. Otherwise they continue beyond the edge.
    pub(crate) wrap: bool,
    /// The attempt whose request and answer are shown; `None` for the latest.
    pub(crate) attempt: Option<u32>,
}

/// The form in which a body is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BodyForm {
    /// The form that suits the body best.
    #[default]
    Auto,
    /// Its characters. Bytes that are not characters are escaped.
    Text,
    /// A hex dump.
    Hex,
    /// Indented, if the body is JSON.
    Json,
}

impl BodyForm {
    /// Returns the next form for a body. `is_json` is whether the body is JSON.
    fn next(self, is_json: bool) -> Self {
        match self {
            Self::Auto => Self::Text,
            Self::Text => Self::Hex,
            Self::Hex if is_json => Self::Json,
            Self::Hex | Self::Json => Self::Auto,
        }
    }
}

impl Detail {
    /// Changes how the event is laid out, if the action asks for that, on a screen of
    /// `height` lines. Returns whether it does.
    pub(crate) fn reshape(&mut self, action: Action, height: usize) -> bool {
        match action {
            Action::BodyView if matches!(self.tab, Tab::Request | Tab::Response) => {
                self.next_form(height);
            }
            // The other tabs have no body, so the key first shows the request.
            Action::BodyView => self.open_tab(Tab::Request),
            Action::NextAttempt => self.choose_attempt(true),
            Action::PreviousAttempt => self.choose_attempt(false),
            Action::Wrap => {
                self.unwrapped = !self.unwrapped;
                self.left = 0;
            }
            _ => return false,
        }
        true
    }

    /// Returns the attempt whose answer is shown, and its event.
    pub(crate) fn attempt(&self) -> Option<(EventId, u32)> {
        let opened = self.open_event()?;
        let number = opened.options.attempt.or(opened.attempts.last().copied())?;
        Some((opened.event.id, number))
    }

    /// Returns the attempt that a person chose for this event.
    pub(super) fn chosen_attempt(&self, id: EventId) -> Option<u32> {
        let chosen = self.attempt.filter(|(of, _)| *of == id);
        chosen.map(|(_, number)| number)
    }

    /// Shows the answer to the next or the previous attempt. In the tab Request, the
    /// request as received comes before all attempts, and the next one after it is the
    /// edited request, if there is one.
    fn choose_attempt(&mut self, forward: bool) {
        if self.tab != Tab::Request {
            self.open_tab(Tab::Response);
        }
        let Some(((id, number), opened)) = self.attempt().zip(self.open_event()) else {
            return;
        };
        let mut attempts = opened.attempts.iter();
        let as_it_came = self.tab == Tab::Request && opened.options.attempt.is_none();
        let next = match opened.edited {
            Some(edited) if as_it_came => Some(edited),
            _ if forward => attempts.find(|other| **other > number).copied(),
            _ => attempts.rev().find(|other| **other < number).copied(),
        };
        if next.is_some() || (self.tab == Tab::Request && !forward) {
            self.attempt = next.map(|next| (id, next));
            self.top = 0;
        }
    }

    /// Switches to the next form of the body, and scrolls to the body.
    fn next_form(&mut self, height: usize) {
        let Some(opened) = self.open_event() else {
            return;
        };
        let form = self.form(opened.event.id).next(opened.is_json(self.tab));
        let (id, body) = (opened.event.id, self.rows().body());
        self.form = Some((id, form));
        let first = self.first(height);
        if let Some(body) = body.filter(|body| !(first..first + height.max(2) - 1).contains(body)) {
            self.top = body;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::DetailEffect;
    use crate::message::Message;
    use crate::testing::{app, event, id, now, press, settle};

    fn options(detail: &mut Detail, position: i64) -> RenderOptions {
        match detail.ask(Some(event(position).id), 40) {
            Some(DetailEffect::LoadEvent { options, .. }) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_body_goes_round_its_forms_and_json_is_one_only_where_it_is() {
        let round = |is_json| {
            let mut form = BodyForm::Auto;
            let steps = std::iter::from_fn(|| {
                form = form.next(is_json);
                (form != BodyForm::Auto).then_some(form)
            });
            steps.collect::<Vec<_>>()
        };
        assert_eq!(round(false), [BodyForm::Text, BodyForm::Hex]);
        assert_eq!(round(true), [BodyForm::Text, BodyForm::Hex, BodyForm::Json]);
    }

    #[test]
    fn the_form_belongs_to_the_event_at_hand_and_wrapping_to_all() {
        let mut app = app(120, 40);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "enter 3 b W", 500);
        let shown = app.detail.open_event().unwrap().options;
        assert_eq!((shown.form, shown.wrap), (BodyForm::Text, false));
        press(&mut app, "esc j", 500);
        let opened = app.detail.open_event().unwrap();
        assert_eq!(opened.event.id, id(499));
        assert_eq!(
            (opened.options.form, opened.options.wrap),
            (BodyForm::Auto, false)
        );
    }

    #[test]
    fn an_edited_body_is_json_by_what_was_sent_and_not_by_what_came() {
        let is_json = |attempt| {
            let (event, mut attempts) = (event(1), crate::testing::attempts(1));
            attempts[1].edited = Some(podtap_agent::history::EditedRequest {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: event.request.headers.clone(),
                body: bytes::Bytes::from_static(b"[1]"),
            });
            let full = crate::detail::FullEvent {
                event,
                attempts,
                explanation: None,
            };
            let options = RenderOptions {
                attempt,
                ..crate::testing::options(40)
            };
            crate::detail::OpenEvent::new(full, options, &jiff::tz::TimeZone::UTC)
                .is_json(Tab::Request)
        };
        assert!(!is_json(None) && !is_json(Some(1)));
        assert!(is_json(Some(2)));
    }

    #[test]
    fn asked_for_elsewhere_the_body_is_shown_first() {
        let mut detail = Detail::default();
        assert_eq!(options(&mut detail, 1).form, BodyForm::Auto);
        assert!(detail.reshape(Action::BodyView, 10));
        assert_eq!((detail.tab, detail.form), (Tab::Request, None));
        assert!(!detail.reshape(Action::Down, 10));
    }
}
