//! The messages to the UI: plain data from the terminal, the agent, the clock, and
//! from effects that were carried out.

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;
use podtap_agent::Status;
use ratatui::layout::Size;

use crate::archive::ArchiveAnswer;
use crate::changes::Changes;
use crate::compare::CompareAnswer;
use crate::copy::CopyAnswer;
use crate::detail::DetailAnswer;
use crate::edit::EditAnswer;
use crate::explain::ExplainAnswer;
use crate::faults::FaultsAnswer;
use crate::figures::FiguresAnswer;
use crate::health::HealthAnswer;
use crate::hooks::HooksAnswer;
use crate::list::ListAnswer;
use crate::loops::LoopsAnswer;
use crate::names::NamesAnswer;
use crate::notes::NotesAnswer;
use crate::pulses::PulsesAnswer;
use crate::rate::RateAnswer;
use crate::repair::RepairAnswer;
use crate::replay::ReplayAnswer;
use crate::search::SearchAnswer;
use crate::target::TargetAnswer;
use crate::timeline::TimelineAnswer;
use crate::trigger::TriggerAnswer;
use crate::tunnels::ShownTunnel;
use crate::why::WhyAnswer;

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse moved, clicked or scrolled.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The screen has a new size.
    Resize(Size),
    /// The current time, once per second.
    Tick(Timestamp),
    /// The agent's new status.
    Status(Box<Status>),
    /// The current state of the tunnels of this process.
    Tunnels(Vec<ShownTunnel>),
    /// The history has changed.
    Changed(Changes),
    /// The answer to an effect.
    Answer(FeatureAnswer),
}

/// The answer to an effect of a feature.
#[derive(Debug, Clone)]
pub(crate) enum FeatureAnswer {
    Archive(ArchiveAnswer),
    Compare(CompareAnswer),
    Copy(CopyAnswer),
    Detail(DetailAnswer),
    Edit(EditAnswer),
    Explain(ExplainAnswer),
    Figures(FiguresAnswer),
    Health(HealthAnswer),
    Hooks(HooksAnswer),
    List(ListAnswer),
    Loops(LoopsAnswer),
    Names(NamesAnswer),
    Notes(NotesAnswer),
    Faults(FaultsAnswer),
    Pulses(PulsesAnswer),
    Rate(RateAnswer),
    Repair(RepairAnswer),
    Replay(ReplayAnswer),
    Search(SearchAnswer),
    Target(TargetAnswer),
    Timeline(TimelineAnswer),
    Trigger(TriggerAnswer),
    Why(WhyAnswer),
}
