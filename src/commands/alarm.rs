//! The alarm beside what shows an agent's doings.

use podtap_agent::AgentHandle;

use super::view::ListenView;
use crate::alarm::Alarm;
use crate::config::Settings;
use crate::failure::Failure;
use crate::tasks::Tasks;

/// Has failures of these agents ring where that is set. Before the agents run, so that it misses none.
pub(super) async fn start(
    tasks: &mut Tasks,
    settings: &Settings,
    handles: impl IntoIterator<Item = &AgentHandle>,
    shown: &mut ListenView,
) -> Result<(), Failure> {
    let Some(kind) = settings.notify()? else {
        return Ok(());
    };
    let mut alarm = Alarm::new(kind);
    if let ListenView::OnScreen(config) = shown {
        let (by_ui, rings) = alarm.by_ui();
        (alarm, config.rings) = (by_ui, Some(rings));
    }
    for handle in handles {
        let after = handle.history().end().await?.attempt;
        tasks.start(alarm.clone().run(handle.clone(), after, tasks.token()));
    }
    Ok(())
}
