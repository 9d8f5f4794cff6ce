//! `podtap up`: runs all tunnels of the configuration's `[[tunnel]]`
//! tables in one process. If one ends, the others go on.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use podtap_agent::{Agent, AgentHandle};
use podtap_relay::BoundRelay;
use podtap_tui::SeveralTunnels;
use podtap_web::{PageLink, PageTunnels};
use tokio_util::sync::CancellationToken;

use super::history::refuse_second;
use super::link::LinkSetup;
use super::listen::{agent_config, link, open_agent, run_agent, start_relay};
use super::targets::check_targets;
use super::view::ListenView;
use crate::cli::Up;
use crate::config::Settings;
use crate::failure::{Code, Failure, Warning};
use crate::output::tagged::TunnelOutput;
use crate::running;
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// A tunnel that is ready to run.
struct OpenTunnel {
    name: String,
    agent: Agent,
    handle: AgentHandle,
    link: LinkSetup,
    relay: Option<BoundRelay>,
    history: PathBuf,
}

/// The number of running tunnels, and why the others ended.
#[derive(Debug)]
struct RunningTunnels {
    left: usize,
    failed: Vec<(String, Failure)>,
}

impl RunningTunnels {
    /// Notes that a tunnel has ended by itself; returns its failure if it was the last.
    fn end(&mut self, name: String, failure: Failure) -> Result<(), Failure> {
        self.left -= 1;
        if self.left == 0 {
            return Err(failure.fact("tunnel", name));
        }
        self.failed.push((name, failure));
        Ok(())
    }
}

/// Runs all tunnels until a signal, `q`, or the end of the last tunnel.
pub(crate) async fn run(up: &Up, settings: &Settings) -> Result<ExitCode, Failure> {
    let tunnels = settings.tunnels_of_file()?;
    if tunnels.is_empty() {
        return Err(
            Failure::usage("the configuration file has no [[tunnel]] table").hint(
                "add [[tunnel]] with name = \"crm\" and forward-to = \"3000\" for each; `podtap listen` \
                 runs a single tunnel without one",
            ),
        );
    }
    let mut kind = ListenView::of(up.display.mode(settings.is_dumb()), settings)?;
    settings.notify()?;
    let shutdown = Shutdown::register()?;
    let (mut open, mut failed) = (Vec::new(), Vec::new());
    for tunnel in &tunnels {
        tunnel.warn_of_config_readers()?;
        match open_one(tunnel, up).await {
            Ok(opened) => open.push(opened),
            // A mistake in the file must be corrected before any tunnel runs.
            Err(failure) if failure.exit_code() == Code::Usage => {
                return Err(failure.fact("tunnel", tunnel.tunnel()?.to_string()));
            }
            Err(failure) => failed.push((tunnel.tunnel()?.to_string(), failure)),
        }
    }
    if open.is_empty()
        && let Some((name, failure)) = failed.pop()
    {
        return Err(failure.fact("tunnel", name));
    }
    let names = open.iter().map(|opened| &opened.name);
    let names = names.chain(failed.iter().map(|(name, _)| name));
    let width = names.map(String::len).max().unwrap_or(0);
    let mut tasks = Tasks::new(shutdown.token().clone());
    let page = super::web::serve(&mut tasks, settings, on_page(&open, &failed)).await?;
    let handles = open.iter().map(|opened| &opened.handle);
    super::alarm::start(&mut tasks, settings, handles, &mut kind).await?;
    show(&mut tasks, kind, &open, &failed, page, width).await?;
    let course = Arc::new(Mutex::new(RunningTunnels {
        left: open.len(),
        failed,
    }));
    for opened in open {
        let (token, course) = (tasks.token(), Arc::clone(&course));
        tasks.start(async move {
            let name = opened.name.clone();
            if let Err(failure) = run_one(opened, token.child_token()).await {
                lock(&course).end(name, failure)?;
            }
            token.cancelled().await;
            Ok(())
        });
    }
    let outcome = tasks.finish().await;
    // Printed only now, when the terminal UI no longer uses the screen.
    for (name, failure) in std::mem::take(&mut lock(&course).failed) {
        settings.report(Warning::from(failure.fact("tunnel", name)))?;
    }
    outcome?;
    Ok(shutdown.exit_code())
}

/// Returns what the web page shows.
fn on_page(open: &[OpenTunnel], failed: &[(String, Failure)]) -> PageTunnels {
    let open = open.iter();
    let failed = failed.iter();
    PageTunnels {
        open: open
            .map(|opened| (opened.name.clone(), opened.handle.clone()))
            .collect(),
        failed: failed
            .map(|(name, failure)| (name.clone(), failure.what().to_owned()))
            .collect(),
    }
}

fn lock(course: &Mutex<RunningTunnels>) -> MutexGuard<'_, RunningTunnels> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens a tunnel without running it.
async fn open_one(settings: &Settings, up: &Up) -> Result<OpenTunnel, Failure> {
    let routes = settings.all_routes()?;
    check_targets(&routes, settings).await?;
    refuse_second(settings)?;
    let (relay, mut link) = link(&routes, settings).await?;
    link.config.take_over = up.take_over;
    let mut config = agent_config(settings, Some(&link), &routes)?;
    config.podio.hooks = super::hooks::config(&up.hooks, settings)?;
    let history = config.history.clone();
    let (agent, handle) = open_agent(config)?;
    Ok(OpenTunnel {
        name: settings.tunnel()?.to_string(),
        agent,
        handle,
        link,
        relay,
        history,
    })
}

/// Runs a tunnel until the token is cancelled or the tunnel cannot go on.
async fn run_one(opened: OpenTunnel, token: CancellationToken) -> Result<(), Failure> {
    let mut tasks = Tasks::new(token);
    if let Some(relay) = opened.relay {
        start_relay(&mut tasks, relay);
    }
    run_agent(&mut tasks, opened.agent, opened.link);
    let publish = running::publish(opened.history, opened.handle, tasks.token());
    tasks.start(publish);
    tasks.finish().await
}

/// Adds the view of all tunnels to the tasks.
async fn show(
    tasks: &mut Tasks,
    kind: ListenView,
    open: &[OpenTunnel],
    failed: &[(String, Failure)],
    page: Option<PageLink>,
    width: usize,
) -> Result<(), Failure> {
    if let ListenView::OnScreen(mut config) = kind {
        let PageTunnels { open, failed } = on_page(open, failed);
        let tunnels = SeveralTunnels { open, failed };
        config.web = page.as_ref().map(super::web::on_screen);
        let token = tasks.token();
        tasks.start(async move { super::ui::several_on_screen(tunnels, *config, token).await });
        return Ok(());
    }
    for (name, failure) in failed {
        kind.announce_stop(failure.what(), &TunnelOutput::of(name, width))?;
    }
    for opened in open {
        let output = TunnelOutput::of(&opened.name, width);
        let shown = kind.clone().open(opened.handle.clone(), None, None).await?;
        let shown = shown.with_web(page.as_ref().map(|page| page.url_of(&opened.name)));
        super::view::show(tasks, opened.handle.clone(), shown.with_output(output));
    }
    Ok(())
}
