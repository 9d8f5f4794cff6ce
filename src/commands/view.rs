//! Chooses how a long-running command shows events: the terminal UI, lines, JSON, or nothing.

use podtap_agent::{AgentHandle, LinkState};
use podtap_web::PageLink;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::cli::UiMode;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::feed::{Feed, FeedFormat};
use crate::output::json::JsonObject;
use crate::output::tagged::TunnelOutput;
use crate::output::{lines, note};
use crate::style::LineStyle;
use crate::tasks::Tasks;

/// The view that the command line asks for. It is chosen before
/// anything starts, so a mistake in it stops nothing half-way.
#[derive(Clone)]
pub(super) enum ListenView {
    Nowhere,
    OnScreen(Box<podtap_tui::UiConfig>),
    AsLines(FeedFormat, LineStyle),
}

impl ListenView {
    /// Prints why no webhook can be received yet.
    pub(super) fn waits(&self, reason: &str) -> Result<(), Failure> {
        if let Self::AsLines(FeedFormat::Json, _) = self {
            return TunnelOutput::default().object(&JsonObject::waits(reason));
        }
        note(&format!("Not connected yet: {reason}; trying again"));
        Ok(())
    }

    /// Prints that one of several tunnels has ended, and why.
    pub(super) fn announce_stop(&self, reason: &str, output: &TunnelOutput) -> Result<(), Failure> {
        let link = LinkState::Stopped {
            reason: reason.to_owned(),
        };
        match self {
            Self::AsLines(FeedFormat::Json, _) => output.object(&JsonObject::link(&link)),
            Self::AsLines(FeedFormat::Lines, _) => match lines::link(&link) {
                Some(line) => output.line(&line),
                None => Ok(()),
            },
            Self::Nowhere | Self::OnScreen(_) => Ok(()),
        }
    }

    pub(super) fn of(mode: UiMode, settings: &Settings) -> Result<Self, Failure> {
        Ok(match mode {
            UiMode::Quiet => Self::Nowhere,
            UiMode::Tui => Self::OnScreen(Box::new(settings.tui()?)),
            UiMode::Plain => Self::AsLines(FeedFormat::Lines, settings.line_style()?),
            UiMode::Json => Self::AsLines(FeedFormat::Json, settings.line_style()?),
        })
    }
}

/// A view of an agent that begins at the present end of the history.
pub(super) enum OpenView {
    Nowhere,
    OnScreen(Box<podtap_tui::UiConfig>),
    AsLines(Box<Feed>),
}

impl OpenView {
    /// Sets the URL of the web page that the view shows.
    pub(super) fn with_web(self, url: Option<String>) -> Self {
        match self {
            Self::AsLines(feed) => Self::AsLines(Box::new(feed.with_web(url))),
            other => other,
        }
    }

    /// Sets where the lines are printed.
    pub(super) fn with_output(self, output: TunnelOutput) -> Self {
        match self {
            Self::AsLines(feed) => Self::AsLines(Box::new(feed.with_output(output))),
            other => other,
        }
    }
}

impl ListenView {
    /// Notes where the history ends, so that the view shows what comes after. A view with
    /// lines ends after `limit` attempts if that is given. `web` is the link to the web page.
    pub(super) async fn open(
        self,
        handle: AgentHandle,
        limit: Option<u64>,
        web: Option<PageLink>,
    ) -> Result<OpenView, Failure> {
        Ok(match self {
            Self::Nowhere => OpenView::Nowhere,
            Self::OnScreen(mut config) => {
                config.web = web.as_ref().map(super::web::on_screen);
                OpenView::OnScreen(config)
            }
            Self::AsLines(format, look) => {
                let feed = Feed::new(handle, format, look, limit).await?;
                OpenView::AsLines(Box::new(feed.with_web(web.map(|page| page.url()))))
            }
        })
    }
}

/// Adds the view to the tasks.
pub(super) fn show(tasks: &mut Tasks, handle: AgentHandle, shown: OpenView) {
    let token = tasks.token();
    match shown {
        OpenView::Nowhere => {}
        OpenView::OnScreen(config) => {
            tasks.start(async move { super::ui::on_screen(handle, *config, token).await });
        }
        OpenView::AsLines(feed) => tasks.start(on_a_thread(feed.run(token))),
    }
}

/// Runs the work on its own thread: a stopped terminal, or a pipe
/// that no one reads, blocks writers, and must block nothing else.
async fn on_a_thread(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = Handle::current();
    let ended = spawn_blocking(move || runtime.block_on(work)).await;
    ended.unwrap_or_else(|error| Err(Failure::because("a part of podtap failed", &error)))
}
