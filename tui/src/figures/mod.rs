//! The figures of the health window: why no events arrive, the last hour of the link and of the
//! local service, the answer times of that service, and Podio's remaining calls.

mod answers;
mod budget;
mod chain;
mod effect;
mod hour;
#[cfg(test)]
mod sample;

use podtap_agent::figures::{AnswerTimes, Minute, QuietChain};
use podtap_podio::client::CallBudget;

pub(crate) use answers::answers;
pub(crate) use budget::budget;
pub(crate) use chain::{chain, chain_in_short};
pub(crate) use effect::{FiguresAnswer, FiguresEffect, run};
pub(crate) use hour::hour;
#[cfg(test)]
pub(crate) use sample::figures;

/// Cells of a label in every figure.
pub(crate) const LABEL: usize = 16;

/// The figures that the agent knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ShownFigures {
    /// The path of a webhook, step by step.
    pub(crate) chain: Option<QuietChain>,
    /// Answer times of the last day.
    pub(crate) times: Option<AnswerTimes>,
    /// The last hour, minute by minute.
    pub(crate) hour: Vec<Minute>,
    /// The calls of Podio's API that are left.
    pub(crate) budget: Option<CallBudget>,
}

/// The figures on the screen, which are read once per second while they are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct FiguresPoller {
    known: ShownFigures,
    asked: bool,
    /// Whether a second has passed since the last request.
    is_due: bool,
    /// Whether there has been a request.
    began: bool,
}

impl FiguresPoller {
    pub(crate) fn known_figures(&self) -> &ShownFigures {
        &self.known
    }

    /// Handles a tick of the clock.
    pub(crate) fn tick(&mut self) {
        self.is_due = true;
    }

    /// Returns the next request, if the figures are shown.
    pub(crate) fn ask(&mut self, is_shown: bool) -> Option<FiguresEffect> {
        if !is_shown || self.asked || (self.began && !self.is_due) {
            return None;
        }
        (self.asked, self.began, self.is_due) = (true, true, false);
        Some(FiguresEffect::Load)
    }

    /// Handles the answer. Figures that could not be read stay.
    pub(crate) fn on_answer(&mut self, answer: FiguresAnswer) {
        let FiguresAnswer::Loaded(new) = answer;
        self.asked = false;
        self.known = ShownFigures {
            chain: new.chain.or(self.known.chain.take()),
            times: new.times.or(self.known.times.take()),
            ..*new
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_who_looks_is_told_once_a_second_and_else_nothing_is_asked() {
        let looked = || FiguresAnswer::Loaded(Box::default());
        let mut figures = FiguresPoller::default();
        figures.tick();
        assert_eq!(figures.ask(false), None);
        assert!(figures.ask(true).is_some());
        figures.tick();
        assert_eq!(figures.ask(true), None, "one question at a time");
        figures.on_answer(looked());
        assert!(figures.ask(true).is_some(), "a second has passed meanwhile");
        figures.on_answer(looked());
        assert_eq!(figures.ask(true), None, "not within the same second");
    }

    #[test]
    fn what_cannot_be_read_stays_what_it_was() {
        let mut figures = FiguresPoller::default();
        let known = ShownFigures {
            times: Some(AnswerTimes::default()),
            ..ShownFigures::default()
        };
        figures.on_answer(FiguresAnswer::Loaded(Box::new(known)));
        figures.on_answer(FiguresAnswer::Loaded(Box::default()));
        assert!(figures.known_figures().times.is_some());
    }
}
