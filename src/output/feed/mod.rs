//! Prints what happens while `listen` or `demo` runs without the terminal UI: after
//! each hint of a change it reads the history and prints what is new, in order.

mod rate_limit_news;
mod standing;
mod told_services;

use podtap_agent::export::json::{AttemptObject, EventObject, IncidentObject};
use podtap_agent::figures::DOCTOR;
use podtap_agent::history::{
    Attempt, DeliveryState, Event, Finding, HistoryEnds, HookNews, Incident, LoopFinding, Outcome,
    Verification,
};
use podtap_agent::{AgentHandle, HookReport, LinkState};
use podtap_wire::EventId;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::json::JsonObject;
use super::lines;
use super::tagged::TunnelOutput;
use rate_limit_news::RateLimitNews;
use told_services::ToldServices;

use crate::failure::Failure;
use crate::style::LineStyle;

/// The format of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeedFormat {
    Lines,
    Json,
}

/// Maximum number of rows that are read from the history at once.
const BATCH: usize = 256;

/// Prints what happens in one agent.
pub(crate) struct Feed {
    agent: AgentHandle,
    format: FeedFormat,
    look: LineStyle,
    out: TunnelOutput,
    /// Number of attempts after which the feed ends; `None` for no limit.
    limit: Option<u64>,
    /// The last rows that were printed.
    through: HistoryEnds,
    /// The URL of the web page, if there is one.
    web: Option<String>,
    /// The public URL that was printed.
    said_url: Option<String>,
    /// The printed reason why the relay is unreachable;
    /// further tries with the same reason print nothing.
    said_away: Option<String>,
    link: LinkState,
    services: ToldServices,
    /// Whether the hint at `podtap doctor` was printed; it appears once.
    named_doctor: bool,
    /// The hooks that this run creates, as they were last printed.
    hooks: Vec<HookReport>,
    rate_limit: RateLimitNews,
}

impl Feed {
    /// Returns a feed of what happens from now on. It ends after `limit` attempts if that is given.
    /// If it is created before the agent runs, it misses nothing that happens at the agent's start.
    pub(crate) async fn new(
        agent: AgentHandle,
        format: FeedFormat,
        look: LineStyle,
        limit: Option<u64>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            through: agent.history().end().await?,
            agent,
            format,
            look,
            out: TunnelOutput::default(),
            limit,
            web: None,
            said_url: None,
            said_away: None,
            link: LinkState::Off,
            services: ToldServices::default(),
            named_doctor: false,
            hooks: Vec::new(),
            rate_limit: RateLimitNews::default(),
        })
    }

    /// Adds the URL of the web page to the first lines.
    pub(crate) fn with_web(mut self, web: Option<String>) -> Self {
        self.web = web;
        self
    }

    /// Sets where the feed is printed.
    pub(crate) fn with_output(mut self, out: TunnelOutput) -> Self {
        self.out = out;
        self
    }

    /// Prints until cancelled or until the limit is reached. Before it ends, it prints what is new.
    pub(crate) async fn run(mut self, token: CancellationToken) -> Result<(), Failure> {
        let mut changes = self.agent.changes();
        let mut status = self.agent.status();
        let mut hooks = self.agent.hooks();
        while !self.catch_up().await? {
            // All arms are cancel-safe and only hints: what happened is read from the history.
            tokio::select! {
                () = token.cancelled() => {
                    self.catch_up().await?;
                    return Ok(());
                }
                change = changes.recv() => if change == Err(RecvError::Closed) {
                    token.cancelled().await;
                } else {
                    // A single look at the history is enough for all queued hints.
                    changes = changes.resubscribe();
                },
                Ok(()) = status.changed() => {}
                Ok(()) = hooks.changed() => {}
            }
        }
        Ok(())
    }

    /// Prints what is new in the status and the history; returns true at the limit.
    async fn catch_up(&mut self) -> Result<bool, Failure> {
        self.status()?;
        self.hooks()?;
        self.events().await?;
        self.findings().await?;
        self.rate_limit().await?;
        self.attempts().await
    }

    async fn events(&mut self) -> Result<(), Failure> {
        loop {
            let events = self
                .agent
                .history()
                .events_after(self.through.event, BATCH)
                .await?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            self.through.event = last.position;
            for event in &events {
                match self.format {
                    FeedFormat::Json => self.out.json(&EventObject::new(event, None).to_line())?,
                    // A delivered event is printed when its attempt ends.
                    FeedFormat::Lines if event.state == DeliveryState::Held => {
                        self.out.line(&lines::held_event(event, &self.look))?;
                    }
                    FeedFormat::Lines => {}
                }
            }
        }
    }

    async fn findings(&mut self) -> Result<(), Failure> {
        loop {
            let history = self.agent.history();
            let findings = history.findings_after(self.through.finding, BATCH).await?;
            let Some((last, _)) = findings.last() else {
                return Ok(());
            };
            self.through.finding = *last;
            for (_, finding) in &findings {
                match finding {
                    Finding::Verified {
                        event,
                        hook_id,
                        verification,
                    } => {
                        self.print_verification(*event, *hook_id, verification)
                            .await?;
                    }
                    Finding::Loop(finding) => self.loop_finding(finding)?,
                    Finding::Incident(incident) => self.print_incident(incident)?,
                    Finding::Hook(news) => self.hook(news)?,
                }
            }
        }
    }

    /// Returns whether an attempt has its own line. For a `hook.verify` that
    /// Podtap validates, the outcome of the validation is printed instead.
    fn is_told(&self, event: &Event, attempt: &Attempt) -> bool {
        attempt.replay || !self.agent.verifies() || !event.is_hook_verify()
    }

    async fn attempts(&mut self) -> Result<bool, Failure> {
        loop {
            let history = self.agent.history();
            let attempts = history.attempts_after(self.through.attempt, BATCH).await?;
            let Some((last, _)) = attempts.last() else {
                return Ok(false);
            };
            self.through.attempt = *last;
            for (_, attempt) in &attempts {
                match self.format {
                    FeedFormat::Json => {
                        self.out
                            .json(&AttemptObject::from(attempt).with_hint(DOCTOR).to_line())?;
                    }
                    FeedFormat::Lines => {
                        let event = self.agent.history().event(attempt.event).await?;
                        if let Some(event) = event.filter(|event| self.is_told(event, attempt)) {
                            self.out
                                .line(&lines::attempt(&event, attempt, &self.look))?;
                            if matches!(attempt.outcome, Outcome::Failed { .. }) {
                                self.name_doctor()?;
                            }
                        }
                    }
                }
                if let Some(left) = &mut self.limit {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        return Ok(true);
                    }
                }
            }
        }
    }

    async fn print_verification(
        &self,
        id: EventId,
        hook_id: Option<u64>,
        verification: &Verification,
    ) -> Result<(), Failure> {
        match self.format {
            FeedFormat::Json => self
                .out
                .object(&JsonObject::verify(id, hook_id, verification)),
            FeedFormat::Lines => match self.agent.history().event(id).await? {
                Some(event) => self.out.line(&lines::verification(
                    &event,
                    hook_id,
                    verification,
                    &self.look,
                )),
                None => Ok(()),
            },
        }
    }

    fn loop_finding(&self, finding: &LoopFinding) -> Result<(), Failure> {
        match self.format {
            FeedFormat::Json => self.out.object(&JsonObject::loop_finding(finding)),
            FeedFormat::Lines => lines::loop_finding(finding, &self.look)
                .iter()
                .try_for_each(|line| self.out.line(line)),
        }
    }

    fn print_incident(&self, incident: &Incident) -> Result<(), Failure> {
        match self.format {
            FeedFormat::Json => self.out.json(&IncidentObject::from(incident).to_line()),
            FeedFormat::Lines => self.out.line(&lines::incident(incident, &self.look)),
        }
    }

    fn hook(&self, news: &HookNews) -> Result<(), Failure> {
        match self.format {
            FeedFormat::Json => self.out.object(&JsonObject::hook_news(news)),
            FeedFormat::Lines => self.out.line(&lines::hook_news(news, &self.look)),
        }
    }
}
