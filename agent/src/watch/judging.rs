//! Decides what to report and hold, once it is known who made a change, or that Podio could not be
//! asked.

use jiff::Timestamp;

use super::evidence::{AnsweredQuestion, Statement};
use super::suspicion::{QuestionState, Suspect, Suspicion};
use super::{Detectors, Watch};
use crate::history::{Fact, HistoryError, LoopShape};

impl Watch {
    /// Applies the answer to a question: reports or drops the loop, or removes the gap.
    pub(super) async fn apply_answer(
        &self,
        detectors: &mut Detectors,
        answered: AnsweredQuestion,
    ) -> Result<(), HistoryError> {
        let notes = match answered {
            AnsweredQuestion::Loop(suspicion, statement) => {
                self.judge(detectors, &suspicion, statement)
            }
            AnsweredQuestion::Gap(gap, true) => vec![Fact::Missing {
                event: gap.above,
                revisions: 0,
            }],
            AnsweredQuestion::Gap(_, false) => Vec::new(),
        };
        self.note(notes).await
    }

    /// Returns the facts to store about a suspicion, and
    /// holds the objects of a loop that is to be broken.
    fn judge(
        &self,
        detectors: &mut Detectors,
        suspicion: &Suspicion,
        statement: Statement,
    ) -> Vec<Fact> {
        let Statement { maker, by_hand } = statement;
        let mut finding = suspicion.finding.clone();
        let newest = finding.times.last().copied().unwrap_or_else(Timestamp::now);
        let asked = suspicion.judge(&maker, by_hand, newest);
        match &suspicion.subject {
            Suspect::Objects(keys) => detectors.loops.settle(keys, &finding, asked),
            Suspect::Additions(hook_id) => detectors.additions.settle(*hook_id, asked),
        }
        if asked != QuestionState::Told {
            return Vec::new();
        }
        finding.maker = maker;
        tracing::warn!(what = finding.words(), maker = %finding.maker, "loop");
        let mut notes = Vec::new();
        // A new object does not fire again: holding its events would not end the loop.
        if self.break_loops && finding.is_suspected() && finding.shape != LoopShape::Adds {
            let objects = finding.objects().into_iter();
            let newly = objects.filter(|object| self.held.hold(*object));
            notes.extend(newly.map(Fact::HoldObject));
        }
        notes.insert(0, Fact::Loop(finding));
        notes
    }
}
