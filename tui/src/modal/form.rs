//! The open form, of any feature.

use crate::archive::{ExportForm, ImportForm};
use crate::hooks::HookForm;
use crate::notes::NoteForm;
use crate::repair::RepairForm;
use crate::replay::ReplayForm;
use crate::target::TargetForm;
use crate::trigger::TriggerForm;
use crate::why::WhyForm;
use crate::widget::form::{Fields, FormField};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FeatureForm {
    /// Which events to replay, and how.
    Replay(ReplayForm),
    /// The time from which to look for lost events.
    Repair(RepairForm),
    /// Which events to export to a file.
    Export(ExportForm),
    /// Which archive to import.
    Import(ImportForm),
    /// The note on an event.
    Note(NoteForm),
    /// The local service to which events are delivered.
    Target(TargetForm),
    /// An event to create that does not come from Podio.
    Trigger(TriggerForm),
    /// A new hook.
    Hook(HookForm),
    /// The question to ask about an event.
    Why(WhyForm),
}

impl FeatureForm {
    fn inner(&self) -> &dyn Fields {
        match self {
            Self::Replay(form) => form,
            Self::Export(form) => form,
            Self::Repair(form) => form,
            Self::Import(form) => form,
            Self::Note(form) => form,
            Self::Target(form) => form,
            Self::Trigger(form) => form,
            Self::Hook(form) => form,
            Self::Why(form) => form,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Fields {
        match self {
            Self::Replay(form) => form,
            Self::Export(form) => form,
            Self::Repair(form) => form,
            Self::Import(form) => form,
            Self::Note(form) => form,
            Self::Target(form) => form,
            Self::Trigger(form) => form,
            Self::Hook(form) => form,
            Self::Why(form) => form,
        }
    }
}

impl Fields for FeatureForm {
    fn title(&self) -> &str {
        self.inner().title()
    }

    fn verb(&self) -> &'static str {
        self.inner().verb()
    }

    fn fields(&self) -> Vec<&dyn FormField> {
        self.inner().fields()
    }

    fn fields_mut(&mut self) -> Vec<&mut dyn FormField> {
        self.inner_mut().fields_mut()
    }

    fn follow_choice(&mut self) {
        self.inner_mut().follow_choice();
    }
}
