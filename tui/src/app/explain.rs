//! What was found out about the selected event, because somebody asked: from Podio, never by itself
//! since each costs calls of the hour; or by comparing it with another.

use podtap_agent::{EventId, Explanation};

use super::App;
use crate::compare::CompareEffect;
use crate::detail::{Tab, explained};
use crate::effect::{Effect, Slot};
use crate::explain::ExplainEffect;
use crate::keymap::{Action, Context};
use crate::layout::Pane;
use crate::line::Line;
use crate::theme::Role;
use crate::words;

impl App {
    /// Asks what the selected event was about. The tab Diff shows that, and for how long already.
    pub(super) fn explain(&mut self, effects: &mut Vec<Effect>) {
        let Some(id) = self.list.selected().map(|row| row.id) else {
            return;
        };
        if let Some((former, _)) = self.asking {
            if former == id {
                return;
            }
            effects.push(Effect::Stop(Slot::Explanation));
        }
        self.asking = Some((id, self.now));
        self.detail.open_tab(Tab::Diff);
        self.show_detail();
        effects.push(Effect::Explain(ExplainEffect::Explain { id }));
    }

    /// For how many seconds Podio has been asked about this event.
    pub(crate) fn asking(&self, id: EventId) -> Option<i64> {
        let (_, since) = self.asking.filter(|(about, _)| *about == id)?;
        Some(self.now.duration_since(since).as_secs().max(0))
    }

    /// Waits for Podio no longer; says whether somebody did.
    pub(super) fn stop_explaining(&mut self, effects: &mut Vec<Effect>) -> bool {
        if self.asking.take().is_none() {
            return false;
        }
        effects.push(Effect::Stop(Slot::Explanation));
        let text = "Podio is no longer asked";
        self.toasts.show(Role::Quiet, text, self.now);
        true
    }

    /// Podio has answered, or not.
    pub(super) fn explained(&mut self, id: EventId, result: Result<Box<Explanation>, String>) {
        self.asking = self.asking.filter(|(about, _)| *about != id);
        let lines = match result {
            Ok(explanation) => explained(&explanation),
            Err(error) => {
                let again = self
                    .keymap()
                    .says(Context::Browse, &[(Action::Explain, "asks again")]);
                vec![Line::of(Role::Failed, error), Line::of(Role::Quiet, again)]
            }
        };
        self.found(id, Ok(lines));
    }

    /// Compares the selected event with the newest marked one.
    pub(super) fn compare(&mut self, effects: &mut Vec<Effect>) {
        let selected = self.list.selected().map(|row| row.id);
        let marked = self.list.marked().into_iter().rev();
        let marked = marked.filter(|id| Some(*id) != selected);
        match (marked.into_iter().next(), selected) {
            (Some(one), Some(other)) => effects.push(Effect::Compare(CompareEffect::Compare {
                one: (one, self.called_in_full(one)),
                other: (other, self.called_in_full(other)),
            })),
            _ => self.toasts.show(
                Role::Quiet,
                "Mark the event to compare with first",
                self.now,
            ),
        }
    }

    /// Compares the answer that the tab Response shows with the one before it.
    pub(super) fn compare_answers(&mut self, effects: &mut Vec<Effect>) {
        match self.detail.attempt() {
            Some((id, number)) if number > 1 => {
                effects.push(Effect::Compare(CompareEffect::CompareAnswers {
                    id,
                    number,
                }));
            }
            _ => self.toasts.show(
                Role::Quiet,
                "There is no earlier answer to compare with",
                self.now,
            ),
        }
    }

    /// What an event is called, and when it came.
    fn called_in_full(&self, id: EventId) -> String {
        let mut rows = self.list.window().rows();
        let came = rows.find(|row| row.id == id).map(|row| row.received_at);
        let came = came.map(|at| words::moment(at, self.now, self.zone()));
        let name = self.called(id);
        came.map_or_else(|| name.clone(), |came| format!("{name}  {came}"))
    }

    /// The difference between two events has come.
    pub(super) fn compared(&mut self, id: EventId, result: Result<Vec<Line>, String>) {
        self.found(id, result);
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
        self.show_detail();
    }

    /// Brings the detail onto a screen that has room for one pane only.
    fn show_detail(&mut self) {
        if self.layout().is_some_and(|at| at.detail.area() == 0) {
            self.focus = Pane::Detail;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::CompareAnswer;
    use crate::explain::ExplainAnswer;
    use crate::message::{Answer, Message};
    use crate::testing::{app, frame, id, now, press, settle, text};

    fn explained_on(width: u16, height: u16) -> App {
        let mut app = app(width, height);
        settle(&mut app, Message::Tick(now()), 500);
        press(&mut app, "w", 500);
        assert!(text(&frame(&app)).contains("Asking Podio"));
        let explanation = Explanation {
            title: Some("Login fails on Safari".to_owned()),
            ..Explanation::default()
        };
        let (id, result) = (id(500), Ok(Box::new(explanation)));
        settle(
            &mut app,
            Message::Answer(Answer::Explain(ExplainAnswer::Explained { id, result })),
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
            assert!(!shown.contains("Asking Podio"), "{shown}");
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
        assert!(text(&frame(&app)).contains("Asking Podio"));
        let (id, result) = (id(500), Ok(Box::default()));
        settle(
            &mut app,
            Message::Answer(Answer::Explain(ExplainAnswer::Explained { id, result })),
            500,
        );
        assert!(!text(&frame(&app)).contains("Asking Podio"));
    }

    #[test]
    fn a_long_notice_is_shown_to_its_end_on_a_narrow_screen() {
        let mut app = app(60, 15);
        settle(&mut app, Message::Tick(now()), 500);
        let error = "Podio cannot be asked: no credentials; run `podtap login`";
        let (id, result) = (id(500), Err(error.to_owned()));
        settle(
            &mut app,
            Message::Answer(Answer::Explain(ExplainAnswer::Explained { id, result })),
            500,
        );
        let shown = text(&frame(&app));
        let words: Vec<&str> = shown.split(['│', ' ', '\n']).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        assert!(words.join(" ").contains("run `podtap login`"), "{shown}");
        assert!(shown.contains("asks again"), "{shown}");
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
            Message::Answer(Answer::Compare(CompareAnswer::Compared { id, result })),
            500,
        );
        assert!(!text(&frame(&app)).contains("difference"));
    }
}
