//! Checks the links in order: each within its time limit, only
//! if the link that it needs works, and all within a minute.

use std::time::Duration;

use podtap_agent::amount;
use tokio::time::{Instant, timeout};

use super::finding::{LinkCheck, LinkFinding, LinkMark};
use super::part::Part;
use crate::failure::Failure;

/// Maximum time for all links together.
const WHOLE: Duration = Duration::from_secs(55);

/// Called with each link as soon as it has been checked.
pub(crate) type LinkReporter<'a> = dyn FnMut(&LinkCheck) -> Result<(), Failure> + 'a;

/// The finding of a link, with what later links need. A failed link has only a finding.
pub(crate) type LinkResult<T> = Result<(LinkFinding, T), LinkFinding>;

/// The progress through the links.
pub(crate) struct DoctorWalk<'a> {
    checks: Vec<LinkCheck>,
    tell: &'a mut LinkReporter<'a>,
    until: Instant,
}

impl<'a> DoctorWalk<'a> {
    pub(crate) fn new(tell: &'a mut LinkReporter<'a>) -> Self {
        Self {
            checks: Vec::new(),
            tell,
            until: Instant::now() + WHOLE,
        }
    }

    /// Checks a link if the link that it needs works; returns what later links need.
    pub(crate) fn link<T>(
        &mut self,
        part: Part,
        look: impl Future<Output = LinkResult<T>>,
    ) -> impl Future<Output = Result<Option<T>, Failure>> {
        // Boxed because some of these futures are large, and the walk contains one after the other.
        let look = Box::pin(look);
        async move { self.check_link(part, look).await }
    }

    async fn check_link<T>(
        &mut self,
        part: Part,
        look: impl Future<Output = LinkResult<T>>,
    ) -> Result<Option<T>, Failure> {
        let (finding, found) = match self.unmet_need(part) {
            Some(unmet) => (unmet, None),
            None => match timeout(self.time_for(part), look).await {
                Ok(Ok((finding, found))) => (finding, Some(found)),
                Ok(Err(finding)) => (finding, None),
                Err(_) => (late(part), None),
            },
        };
        let check = LinkCheck { part, finding };
        (self.tell)(&check)?;
        self.checks.push(check);
        Ok(found)
    }

    /// Returns the checked links.
    pub(crate) fn end(self) -> Vec<LinkCheck> {
        self.checks
    }

    fn finding_of(&self, part: Part) -> Option<&LinkFinding> {
        let mut checks = self.checks.iter();
        let check = checks.find(|check| check.part == part)?;
        Some(&check.finding)
    }

    /// Returns why a link is skipped: the link that it needs is broken or was skipped.
    fn unmet_need(&self, part: Part) -> Option<LinkFinding> {
        let need = part.needs()?;
        let found = self.finding_of(need)?;
        match found.mark {
            LinkMark::Good | LinkMark::Doubtful => None,
            LinkMark::Broken => Some(LinkFinding::needs(need)),
            LinkMark::Skipped => Some(found.clone()),
        }
    }

    fn time_for(&self, part: Part) -> Duration {
        let left = self.until.saturating_duration_since(Instant::now());
        part.limit().min(left)
    }
}

/// Returns the finding for a link whose check took too long.
fn late(part: Part) -> LinkFinding {
    let detail = format!("no answer within {}", amount::limit(part.limit()));
    let fix = match part {
        Part::Dns => "check the name servers of this machine (/etc/resolv.conf)",
        Part::Proxy => "check HTTPS_PROXY, http_proxy and ALL_PROXY; is the proxy running?",
        Part::Tcp => "a firewall may drop the connection: try another network, or ask its operator",
        Part::Tls | Part::Relay | Part::Clock | Part::Token | Part::Tunnel => {
            "check the relay's URL, and ask its operator whether the relay is overloaded"
        }
        Part::Websocket => {
            "ask the operator whether the proxy in front of the relay forwards \
             websockets"
        }
        Part::Podio | Part::Hooks => "try again later: Podio or the network is slow",
        Part::Settings | Part::Folder | Part::Service | Part::LastEvent => {
            "the disk or the machine is very busy: try again"
        }
    };
    LinkFinding::new_broken(detail, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn walk_all(
        broken: Part,
        found: fn() -> LinkResult<()>,
    ) -> Vec<(Part, LinkMark, Option<Part>)> {
        let mut tell = |_: &LinkCheck| Ok(());
        let mut walk = DoctorWalk::new(&mut tell);
        for part in Part::ALL {
            let look = async move {
                if part == broken {
                    found()
                } else {
                    Ok((LinkFinding::good(""), ()))
                }
            };
            walk.link(part, look).await.unwrap();
        }
        let checks = walk.end().into_iter();
        checks
            .map(|check| (check.part, check.finding.mark, check.finding.needs))
            .collect()
    }

    #[tokio::test]
    async fn what_depends_on_a_broken_link_names_the_first_one_and_the_rest_is_looked_at() {
        let walked = walk_all(Part::Tcp, || Err(LinkFinding::new_broken("", ""))).await;
        for (part, mark, needs) in walked {
            let expected = match part {
                Part::Tcp => (LinkMark::Broken, None),
                Part::Tls
                | Part::Relay
                | Part::Clock
                | Part::Token
                | Part::Websocket
                | Part::Tunnel => (LinkMark::Skipped, Some(Part::Tcp)),
                _ => (LinkMark::Good, None),
            };
            assert_eq!((mark, needs), expected, "{part:?}");
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_skipped_with_all_that_follows_and_nothing_is_broken() {
        let walked = walk_all(Part::Dns, || {
            Err(LinkFinding::new_skipped("no relay is set"))
        })
        .await;
        let skipped = walked
            .iter()
            .filter(|(_, mark, _)| *mark == LinkMark::Skipped);
        assert_eq!(skipped.count(), 9);
        assert!(walked.iter().all(|(_, mark, _)| *mark != LinkMark::Broken));
    }

    #[tokio::test]
    async fn links_that_hang_end_when_the_whole_time_is_over() {
        let began = Instant::now();
        let mut tell = |_: &LinkCheck| Ok(());
        let mut walk = DoctorWalk::new(&mut tell);
        walk.until = began + Duration::from_millis(50);
        for part in Part::ALL.into_iter().filter(|part| part.needs().is_none()) {
            let hang = std::future::pending::<LinkResult<()>>();
            walk.link(part, hang).await.unwrap();
        }
        assert!(
            began.elapsed() < Part::Settings.limit(),
            "not one after the other"
        );
        let checks = walk.end();
        assert!(
            checks
                .iter()
                .all(|check| check.finding.mark == LinkMark::Broken)
        );
    }

    #[test]
    fn the_whole_takes_less_than_a_minute() {
        assert!(WHOLE < Duration::from_mins(1));
        let longest = Part::ALL.iter().map(|part| part.limit()).max().unwrap();
        assert!(longest < WHOLE / 2, "{longest:?}");
    }
}
