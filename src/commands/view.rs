//! How a command that goes on shows what happens: the terminal UI, lines, JSON, or nothing.

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

/// How what happens is shown; known before anything starts, so that a mistake in it stops nothing
/// half-way.
#[derive(Clone)]
pub(super) enum ListenView {
    Nowhere,
    OnScreen(Box<podtap_tui::UiConfig>),
    AsLines(FeedFormat, LineStyle),
}

impl ListenView {
    /// Says why nothing can be taken yet.
    pub(super) fn waits(&self, reason: &str) -> Result<(), Failure> {
        if let Self::AsLines(FeedFormat::Json, _) = self {
            return TunnelOutput::default().object(&JsonObject::waits(reason));
        }
        note(&format!("Not connected yet: {reason}; trying again"));
        Ok(())
    }

    /// Says that a tunnel of several has ended, and why.
    pub(super) fn stopped(&self, reason: &str, output: &TunnelOutput) -> Result<(), Failure> {
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

/// What shows an agent's doings, ready to go on from here.
pub(super) enum OpenView {
    Nowhere,
    OnScreen(Box<podtap_tui::UiConfig>),
    AsLines(Box<Feed>),
}

impl OpenView {
    /// The same, told with this URL of a web page.
    pub(super) fn with_web(self, url: Option<String>) -> Self {
        match self {
            Self::AsLines(feed) => Self::AsLines(Box::new(feed.with_web(url))),
            other => other,
        }
    }

    /// The same, with its lines printed there.
    pub(super) fn with_output(self, output: TunnelOutput) -> Self {
        match self {
            Self::AsLines(feed) => Self::AsLines(Box::new(feed.with_output(output))),
            other => other,
        }
    }
}

impl ListenView {
    /// Notes where the history ends, so that what comes after is shown; as lines, `limit` attempts
    /// where a number is given. `web` leads to the page beside it.
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

/// Adds what shows the agent's doings to the tasks.
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

/// Runs it on a thread of its own: a terminal that is stopped, or a pipe that nobody reads, holds up
/// what writes to it, and is to hold up nothing else.
async fn on_a_thread(
    work: impl Future<Output = Result<(), Failure>> + Send + 'static,
) -> Result<(), Failure> {
    let runtime = Handle::current();
    let ended = spawn_blocking(move || runtime.block_on(work)).await;
    ended.unwrap_or_else(|error| Err(Failure::because("a part of podtap failed", &error)))
}
