//! What came of the effects → who has to know. Routing only.

use super::App;
use crate::archive::ArchiveAnswer;
use crate::compare::CompareAnswer;
use crate::copy::CopyAnswer;
use crate::edit::EditAnswer;
use crate::effect::Effect;
use crate::explain::ExplainAnswer;
use crate::health::HealthAnswer;
use crate::hooks::HooksAnswer;
use crate::list::ListAnswer;
use crate::loops::LoopsAnswer;
use crate::message::Answer;
use crate::notes::NotesAnswer;
use crate::replay::ReplayAnswer;
use crate::trigger::TriggerAnswer;

impl App {
    /// Hands an answer to whoever asked; says whether there is something else to draw.
    pub(super) fn answer(&mut self, answer: Answer, effects: &mut Vec<Effect>) -> bool {
        match answer {
            Answer::Archive(ArchiveAnswer::Exported { result }) => self.exported(result),
            Answer::Archive(ArchiveAnswer::Imported { result }) => self.imported(result),
            Answer::Compare(CompareAnswer::Compared { id, result }) => self.compared(id, result),
            Answer::Copy(CopyAnswer::Read { form, result }) => {
                self.read_to_copy(form, result, effects);
            }
            Answer::Detail(answer) => self.detail.answer(answer),
            Answer::Edit(EditAnswer::Read { result }) => self.read_to_edit(result, effects),
            Answer::Edit(EditAnswer::Edited { id, before, result }) => {
                self.edited(id, before, result);
            }
            Answer::Explain(ExplainAnswer::Explained { id, result }) => self.explained(id, result),
            Answer::Explain(ExplainAnswer::Link { result }) => effects.extend(self.linked(result)),
            Answer::Explain(ExplainAnswer::Browsed { result }) => self.browsed(result),
            Answer::Figures(answer) => self.figures.answered(answer),
            Answer::Health(HealthAnswer::Measured { bytes, events }) => {
                self.measured(bytes, events);
            }
            Answer::Hooks(HooksAnswer::Hooks {
                generation,
                listing,
                standings,
            }) => self.hooks_listed(generation, listing.map(|it| *it), standings),
            Answer::Hooks(HooksAnswer::HookChanged { change, result }) => {
                self.hook_changed(&change, result);
            }
            Answer::List(ListAnswer::Page { generation, result }) => {
                self.list.page(generation, result);
            }
            Answer::List(ListAnswer::Count {
                filter,
                took,
                result,
            }) => self.list.count(&filter, took, &result),
            Answer::List(ListAnswer::FoundAll { wanted, result }) => self.found_all(wanted, result),
            Answer::Loops(LoopsAnswer::Released { object, result }) => {
                self.released(object, result);
            }
            Answer::Names(answer) => self.names.answer(answer),
            Answer::Notes(NotesAnswer::Annotated { result }) => self.annotated(result),
            Answer::Rate(answer) => self.rate.answer(answer, self.now),
            Answer::Replay(ReplayAnswer::Replayed { id, result }) => self.replayed(id, result),
            Answer::Search(answer) => self.search.answer(answer),
            Answer::Timeline(answer) => self.timeline_loaded(answer),
            Answer::Pulses(answer) => self.pulses_counted(answer),
            Answer::Trigger(TriggerAnswer::Triggered { result }) => self.triggered(result),
        }
        true
    }
}
