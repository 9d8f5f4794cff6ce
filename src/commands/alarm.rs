//! Starts the alarm for failed deliveries.

use podtap_agent::AgentHandle;

use super::view::ListenView;
use crate::alarm::Alarm;
use crate::config::Settings;
use crate::failure::Failure;
use crate::tasks::Tasks;

/// Starts the alarm for these agents, if one is set. Call
/// it before the agents run, so that it misses no failure.
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
