//! What was found out about the selected event, because somebody asked: from Podio, never by itself
//! since each costs calls of the hour; or by comparing it with another.

use podtap_agent::{EventId, Explanation};

use super::{App, Pane};
use crate::detail::explained;
use crate::effect::Effect;
use crate::line::Line;
use crate::theme::Role;

/// Said until Podio has answered.
const ASKING: &str = "Asking Podio …";

impl App {
    /// Asks what the selected event was about.
    pub(super) fn explain(&mut self, effects: &mut Vec<Effect>) {
        if let Some(id) = self.list.selected().map(|row| row.id) {
            self.toasts.show(Role::Quiet, ASKING, self.now);
            effects.push(Effect::Explain { id });
        }
    }

    /// Podio has answered, or not.
    pub(super) fn explained(&mut self, id: EventId, result: Result<Box<Explanation>, String>) {
        self.toasts.withdraw(ASKING);
        let lines = result.map(|explanation| explained(&explanation));
        self.found(id, lines);
    }

    /// Compares the selected event with the newest marked one.
    pub(super) fn compare(&mut self, effects: &mut Vec<Effect>) {
        let selected = self.list.selected().map(|row| row.id);
        let marked = self.list.marked().into_iter().rev();
        let marked = marked.filter(|id| Some(*id) != selected);
        match (marked.into_iter().next(), selected) {
            (Some(one), Some(other)) => effects.push(Effect::Compare { one, other }),
            _ => self.toasts.show(
                Role::Quiet,
                "Mark the event to compare with first",
                self.now,
            ),
        }
    }

    /// The difference between two events has come.
    pub(super) fn compared(&mut self, id: EventId, result: Result<Vec<Line>, String>) {
        let lines = result.map(|lines| match lines.len() {
            0 => vec![Line::of(Role::Quiet, "The two requests are the same.")],
            _ => lines,
        });
        self.found(id, lines);
    }

    /// Shows it in the detail, unless another event is selected by now.
    fn found(&mut self, id: EventId, lines: Result<Vec<Line>, String>) {
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => return self.toasts.show(Role::Failed, error, self.now),
        };
        if self.list.selected().map(|row| row.id) != Some(id) {
            return;
        }
        self.detail.show_found(id, lines);
        if self.layout().is_some_and(|at| at.detail.area() == 0) {
            self.focus = Pane::Detail;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Answer, Message};
    use crate::testing::{app, frame, id, now, press, settle, text};

    fn explained_on(width: u16, height: u16) -> App {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "w", 500);
        assert!(text(&frame(&app)).contains(ASKING));
        let explanation = Explanation {
            title: Some("Login fails on Safari".to_owned()),
            ..Explanation::default()
        };
        let (id, result) = (id(500), Ok(Box::new(explanation)));
        settle(
            &mut app,
            Message::Answer(Answer::Explained { id, result }),
            500,
        );
        app
    }

    #[test]
    fn what_podio_told_is_seen_on_every_screen_and_stays_with_its_event() {
        for (width, height) in [(60, 15), (120, 40)] {
            let mut app = explained_on(width, height);
            let shown = text(&frame(&app));
            assert!(shown.contains("Login fails on Safari"), "{shown}");
            assert!(!shown.contains(ASKING), "{shown}");
            settle(&mut app, Message::Resize((100, 30).into()), 500);
            assert!(text(&frame(&app)).contains("Login fails on Safari"));
            press(&mut app, "esc j k", 500);
            let shown = text(&frame(&app));
            assert!(!shown.contains("Login fails"), "{shown}");
        }
    }

    #[test]
    fn asking_is_said_until_the_answer_is_there() {
        let mut app = app(120, 40);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "w", 500);
        assert!(text(&frame(&app)).contains(ASKING));
        let (id, result) = (id(500), Ok(Box::default()));
        settle(
            &mut app,
            Message::Answer(Answer::Explained { id, result }),
            500,
        );
        assert!(!text(&frame(&app)).contains(ASKING));
    }

    #[test]
    fn a_long_notice_is_shown_to_its_end_on_a_narrow_screen() {
        let mut app = app(60, 15);
        settle(&mut app, Message::Tick(now()), 500);
        let error = "Podio cannot be asked: no credentials; run `podtap login`";
        let (id, result) = (id(500), Err(error.to_owned()));
        settle(
            &mut app,
            Message::Answer(Answer::Explained { id, result }),
            500,
        );
        assert!(text(&frame(&app)).contains("`podtap login`"));
    }

    #[test]
    fn an_answer_for_an_event_that_is_no_longer_selected_shows_nothing() {
        let mut app = app(120, 40);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "j", 500);
        let lines = vec![Line::of(Role::Plain, "difference")];
        let (id, result) = (id(500), Ok(lines));
        settle(
            &mut app,
            Message::Answer(Answer::Compared { id, result }),
            500,
        );
        assert!(!text(&frame(&app)).contains("difference"));
    }
}
