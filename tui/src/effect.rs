//! The work that `update` returns for the shell to do: plain data, carried out by the runtime and
//! the executor. Each feature defines its own effects; [`Effect`] combines them.

use crate::archive::ArchiveEffect;
use crate::command::Slot;
use crate::compare::CompareEffect;
use crate::copy::CopyEffect;
use crate::detail::DetailEffect;
use crate::edit::{EditEffect, EditorFile};
use crate::explain::ExplainEffect;
use crate::faults::FaultsEffect;
use crate::figures::FiguresEffect;
use crate::health::HealthEffect;
use crate::hooks::HooksEffect;
use crate::list::ListEffect;
use crate::loops::LoopsEffect;
use crate::names::NamesEffect;
use crate::notes::NotesEffect;
use crate::pulses::PulsesEffect;
use crate::rate::RateEffect;
use crate::repair::RepairEffect;
use crate::replay::ReplayEffect;
use crate::search::SearchEffect;
use crate::target::TargetEffect;
use crate::timeline::TimelineEffect;
use crate::trigger::TriggerEffect;
use crate::why::WhyEffect;

/// Defines [`Effect`]: the effects of the terminal, and those of each
/// feature with a `From` conversion.
macro_rules! effects {
    ($($feature:ident($effect:ident),)+) => {
        /// Work to do outside the pure part.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum Effect {
            /// Draws a frame soon.
            Draw,
            /// Leaves the terminal to the person's editor with this file.
            OpenEditor(EditorFile),
            /// Copies these bytes to the clipboard of the person's terminal.
            ToClipboard(Vec<u8>),
            /// Leaves the terminal and stops this process until the shell continues it.
            Suspend,
            /// Ends the UI.
            Quit,
            /// Shows the tunnel with this name.
            Switch(String),
            /// Ends the work in this slot.
            Stop(Slot),
            $($feature($effect),)+
        }

        $(impl From<$effect> for Effect {
            fn from(effect: $effect) -> Self {
                Self::$feature(effect)
            }
        })+
    };
}

effects! {
    Archive(ArchiveEffect),
    Compare(CompareEffect),
    Copy(CopyEffect),
    Detail(DetailEffect),
    Edit(EditEffect),
    Explain(ExplainEffect),
    Figures(FiguresEffect),
    Health(HealthEffect),
    Hooks(HooksEffect),
    List(ListEffect),
    Loops(LoopsEffect),
    Names(NamesEffect),
    Notes(NotesEffect),
    Faults(FaultsEffect),
    Pulses(PulsesEffect),
    Rate(RateEffect),
    Repair(RepairEffect),
    Replay(ReplayEffect),
    Search(SearchEffect),
    Target(TargetEffect),
    Timeline(TimelineEffect),
    Trigger(TriggerEffect),
    Why(WhyEffect),
}

impl From<EditorFile> for Effect {
    fn from(file: EditorFile) -> Self {
        Self::OpenEditor(file)
    }
}

impl Effect {
    /// Returns whether the runtime carries the effect out, because the runtime owns the terminal.
    pub(crate) fn is_for_the_terminal(&self) -> bool {
        matches!(
            self,
            Self::Draw
                | Self::Suspend
                | Self::OpenEditor(_)
                | Self::ToClipboard(_)
                | Self::Switch(_)
                | Self::Quit
        )
    }

    /// Returns the slot of the effect's work, if it has one.
    pub(crate) fn slot(&self) -> Option<Slot> {
        match self {
            Self::List(ListEffect::LoadPage { .. }) => Some(Slot::Page),
            Self::List(ListEffect::Count { .. }) => Some(Slot::Total),
            Self::Explain(ExplainEffect::Explain { .. }) => Some(Slot::Explanation),
            Self::Archive(ArchiveEffect::Import { .. }) => Some(Slot::Import),
            _ => None,
        }
    }
}
