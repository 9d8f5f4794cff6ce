//! What can happen to the UI: plain data, from the terminal, the agent, the clock, and from
//! effects that were carried out.

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
    /// A key went down.
    Key(KeyEvent),
    /// The mouse moved, clicked or scrolled.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The screen has this size now.
    Resize(Size),
    /// It is this late.
    Tick(Timestamp),
    /// The agent's status is this.
    Status(Box<Status>),
    /// The tunnels of this process are these.
    Tunnels(Vec<ShownTunnel>),
    /// The history is not what it was.
    Changed(Changes),
    /// An effect was carried out.
    Answer(FeatureAnswer),
}

/// What came of an effect, feature by feature.
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
