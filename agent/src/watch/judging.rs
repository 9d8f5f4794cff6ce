//! What is told, and held, once Podio, or nobody, has said who made a change.

use jiff::Timestamp;

use super::evidence::{Answered, Statement};
use super::suspicion::{Asked, Subject, Suspicion};
use super::{Detectors, Watch};
use crate::history::{HistoryError, LoopShape, Note};

impl Watch {
    /// Podio, or nobody, has said who made a change.
    pub(super) async fn answered(
        &self,
        detectors: &mut Detectors,
        answered: Answered,
    ) -> Result<(), HistoryError> {
        let notes = match answered {
            Answered::Loop(suspicion, statement) => self.judged(detectors, &suspicion, statement),
            Answered::Gap(gap, true) => vec![Note::Missing {
                event: gap.above,
                revisions: 0,
            }],
            Answered::Gap(_, false) => Vec::new(),
        };
        self.note(notes).await
    }

    /// What is to be told, and held, of a suspicion.
    fn judged(
        &self,
        detectors: &mut Detectors,
        suspicion: &Suspicion,
        statement: Statement,
    ) -> Vec<Note> {
        let Statement { maker, by_hand } = statement;
        let mut finding = suspicion.finding.clone();
        let newest = finding.times.last().copied().unwrap_or_else(Timestamp::now);
        let asked = suspicion.judge(&maker, by_hand, newest);
        match &suspicion.subject {
            Subject::Objects(keys) => detectors.loops.judged(keys, &finding, asked),
            Subject::Additions(hook_id) => detectors.additions.judged(*hook_id, asked),
        }
        if asked != Asked::Told {
            return Vec::new();
        }
        finding.maker = maker;
        tracing::warn!(what = finding.words(), maker = %finding.maker, "loop");
        let mut notes = Vec::new();
        // A new object is not in a loop itself: holding it would end nothing.
        if self.break_loops && finding.is_suspected() && finding.shape != LoopShape::Adds {
            let objects = finding.objects().into_iter();
            let newly = objects.filter(|object| self.held.hold(*object));
            notes.extend(newly.map(Note::HoldObject));
        }
        notes.insert(0, Note::Loop(finding));
        notes
    }
}
