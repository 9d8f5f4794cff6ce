//! What the health window draws: why nothing comes, the last hour of the link and of the local
//! service, how fast that answers, and what is left of Podio's calls.

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

/// Cells of a label, in all of them.
pub(crate) const LABEL: usize = 16;

/// What the agent knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ShownFigures {
    /// The way of a webhook, link by link.
    pub(crate) chain: Option<QuietChain>,
    /// Answer times of the last day.
    pub(crate) times: Option<AnswerTimes>,
    /// The last hour, minute by minute.
    pub(crate) hour: Vec<Minute>,
    /// Calls of Podio's API that are left.
    pub(crate) budget: Option<CallBudget>,
}

/// The figures on the screen: asked for once a second while somebody looks.
#[derive(Debug, Clone, Default)]
pub(crate) struct FiguresPoller {
    known: ShownFigures,
    asked: bool,
    /// Whether a second has passed since they were asked for.
    is_due: bool,
    /// Whether they were asked for at all.
    began: bool,
}

impl FiguresPoller {
    pub(crate) fn known(&self) -> &ShownFigures {
        &self.known
    }

    /// A second has passed.
    pub(crate) fn tick(&mut self) {
        self.is_due = true;
    }

    /// What has to be asked, where somebody looks.
    pub(crate) fn ask(&mut self, is_shown: bool) -> Option<FiguresEffect> {
        if !is_shown || self.asked || (self.began && !self.is_due) {
            return None;
        }
        (self.asked, self.began, self.is_due) = (true, true, false);
        Some(FiguresEffect::Load)
    }

    /// The agent has answered; what could not be read stays what it was.
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
        assert!(figures.known().times.is_some());
    }
}
