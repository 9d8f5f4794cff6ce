//! Prints changes in the state of the link, the local services,
//! the hooks that this run creates, and Podio's rate limit.

use podtap_agent::figures::DOCTOR;
use podtap_agent::status::TargetStatus;
use podtap_agent::{HookState, LinkState, ServiceState};

use super::super::json::{Callable, JsonObject, Ready};
use super::super::lines;
use super::{Feed, FeedFormat};
use crate::failure::Failure;
use crate::style::Tone;

impl Feed {
    pub(super) fn status(&mut self) -> Result<(), Failure> {
        let status = self.agent.status().borrow().clone();
        if let Some(url) = &status.public_url
            && self.said_url.as_ref().is_some_and(|said| said != url)
        {
            match self.format {
                FeedFormat::Json => self.out.object(&JsonObject::Url { url })?,
                FeedFormat::Lines => self.out.line(&lines::new_url(url))?,
            }
            self.said_url = Some(url.clone());
        }
        if self.said_url.is_none()
            && let (Some(url), Some(tunnel)) = (&status.public_url, &status.tunnel)
        {
            self.said_url = Some(url.clone());
            let uncallable = self.agent.check_hook_url(url).err();
            match self.format {
                FeedFormat::Json => {
                    let callable = Callable::new(uncallable.as_ref());
                    let ready =
                        Ready::listen(url, tunnel, &status.routes, self.web.as_deref(), callable);
                    self.out.object(&JsonObject::Ready(ready))?;
                }
                FeedFormat::Lines => {
                    for line in lines::ready(url, &status.routes, uncallable.as_ref()) {
                        self.out.line(&line)?;
                    }
                    if let Some(web) = &self.web {
                        self.out.line(&lines::web_page(web))?;
                    }
                }
            }
        }
        self.services(&status.targets)?;
        // Before the tunnel is ready, only trouble is printed.
        let is_first_dial = matches!(status.link, LinkState::Connecting { reason: None, .. });
        if self.said_url.is_none() && is_first_dial {
            return Ok(());
        }
        if status.link != self.link {
            if self.is_news(&status.link) {
                match self.format {
                    FeedFormat::Json => self.out.object(&JsonObject::link(&status.link))?,
                    FeedFormat::Lines => {
                        if let Some(line) = lines::link(&status.link) {
                            self.out.line(&line)?;
                        }
                        if !matches!(status.link, LinkState::Up { .. }) {
                            self.name_doctor()?;
                        }
                    }
                }
            }
            self.link = status.link;
        }
        Ok(())
    }

    /// Reports each target that can no longer be reached or can be reached again.
    fn services(&mut self, targets: &[TargetStatus]) -> Result<(), Failure> {
        for TargetStatus {
            target, service, ..
        } in self.services.news(targets)
        {
            let (since, reason) = match service {
                ServiceState::Unknown => continue,
                ServiceState::Up { since } => (since, None),
                ServiceState::Down { since, reason } => (since, Some(reason)),
            };
            match (self.format, &reason) {
                (FeedFormat::Json, reason) => {
                    self.out
                        .object(&JsonObject::service(reason.as_deref(), &target))?;
                }
                (FeedFormat::Lines, Some(reason)) => {
                    self.out
                        .line(&lines::service_down(since, &self.look, reason, &target))?;
                    self.name_doctor()?;
                }
                (FeedFormat::Lines, None) => {
                    self.out
                        .line(&lines::service_up(since, &self.look, &target))?;
                }
            }
        }
        Ok(())
    }

    /// Prints the hint at `podtap doctor` once per run.
    pub(super) fn name_doctor(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.named_doctor, true) {
            return Ok(());
        }
        self.out.line(DOCTOR)
    }

    /// Prints what happened to the hooks that this run creates.
    pub(super) fn hooks(&mut self) -> Result<(), Failure> {
        let hooks = self.agent.hooks().borrow().clone();
        for (place, report) in hooks.iter().enumerate() {
            if self.hooks.get(place) == Some(report) || report.state == HookState::Waiting {
                continue;
            }
            match self.format {
                FeedFormat::Json => self.out.object(&JsonObject::hook(report))?,
                FeedFormat::Lines => {
                    if let Some(failure) = report.failure() {
                        self.out
                            .line(&self.look.line(&[(Tone::Bad, &format!("✗  {failure}"))]))?;
                    }
                }
            }
        }
        self.hooks = hooks;
        Ok(())
    }

    /// Prints how many calls of Podio's API are left, in JSON only.
    pub(super) async fn rate_limit(&mut self) -> Result<(), Failure> {
        if self.format == FeedFormat::Json
            && let Some(budget) = self.rate_limit.news(self.agent.api_budget().await)
        {
            self.out.object(&JsonObject::rate_limit(&budget))?;
        }
        Ok(())
    }

    /// Returns whether this state of the link must be printed: an unreachable
    /// relay is reported once, and again when the reason changes.
    fn is_news(&mut self, link: &LinkState) -> bool {
        match link {
            LinkState::Connecting { reason: None, .. } => false,
            LinkState::Connecting { reason, .. } => {
                let is_news = self.said_away != *reason;
                self.said_away.clone_from(reason);
                is_news
            }
            _ => {
                self.said_away = None;
                true
            }
        }
    }
}
