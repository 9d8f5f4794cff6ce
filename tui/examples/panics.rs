//! Runs the real UI on the history at the first argument, in a program that panics on SIGUSR1, so
//! that a test can check the terminal afterwards. The second argument is the kind of panic: `here`
//! unwinds the UI with the rest; `aside` panics in another task, so that the UI continues for a
//! moment; `abort` unwinds nothing, as in a release build.

#![expect(clippy::panic, reason = "that is what it is for")]

use podtap_agent::{Agent, AgentConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let history = arguments.next().ok_or("which history?")?;
    let how = arguments.next().ok_or("how to panic?")?;
    if how == "abort" {
        let inner = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            inner(info);
            std::process::abort();
        }));
    }
    let (_agent, handle) = Agent::open(AgentConfig::new(history))?;
    let told = signal(SignalKind::user_defined1())?;
    let token = CancellationToken::new();
    let ui = podtap_tui::run(handle, podtap_tui::UiConfig::default(), token.clone());
    if how != "aside" {
        tokio::select! {
            ended = ui => return Ok(ended?),
            panicked = panic_when(told) => panicked?,
        }
        return Ok(());
    }
    let mut aside = JoinSet::new();
    aside.spawn(panic_when(told));
    let watch = async {
        // The UI continues to draw until it is cancelled, as it does if other tasks
        // run between the panic and the end.
        aside.join_next().await;
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        token.cancel();
    };
    let (ended, ()) = tokio::join!(ui, watch);
    Ok(ended?)
}

async fn panic_when(mut told: Signal) -> std::io::Result<()> {
    told.recv().await;
    panic!("told to panic");
}
