//! The form that is open, of whichever feature.

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
    /// Which events are sent again, and how.
    Replay(ReplayForm),
    /// Since when lost events are looked for.
    Repair(RepairForm),
    /// What goes into a file.
    Export(ExportForm),
    /// Which archive is imported.
    Import(ImportForm),
    /// What to write on an event.
    Note(NoteForm),
    /// Where events are delivered.
    Target(TargetForm),
    /// An event that Podio did not send.
    Trigger(TriggerForm),
    /// A new hook.
    Hook(HookForm),
    /// What to ask about.
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
