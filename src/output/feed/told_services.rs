//! Decides which targets have a state that was not printed yet. Pure.

use podtap_agent::ServiceState;
use podtap_agent::status::TargetStatus;

/// The last printed state of each target.
#[derive(Debug, Default)]
pub(super) struct ToldServices(Vec<TargetStatus>);

impl ToldServices {
    /// Returns the targets to report now: those that cannot be reached, or for a new reason,
    /// and those that can be reached again. The first success of a run is not reported.
    pub(super) fn news(&mut self, now: &[TargetStatus]) -> Vec<TargetStatus> {
        let before = std::mem::replace(&mut self.0, now.to_vec());
        let is_news = |of: &&TargetStatus| {
            let before = before.iter().find(|before| before.target == of.target);
            let before = before.map_or(&ServiceState::Unknown, |before| &before.service);
            match &of.service {
                ServiceState::Unknown => false,
                ServiceState::Up { .. } => matches!(before, ServiceState::Down { .. }),
                down @ ServiceState::Down { .. } => down != before,
            }
        };
        now.iter().filter(is_news).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_target_that_goes_away_and_one_that_comes_back_are_news() {
        let since = Timestamp::UNIX_EPOCH;
        let of = |port: &str, service: &ServiceState| TargetStatus {
            service: service.clone(),
            ..TargetStatus::of(port.parse().unwrap())
        };
        let up = ServiceState::Up { since };
        let down = |reason: &str| ServiceState::Down {
            since,
            reason: reason.to_owned(),
        };
        let mut told = ToldServices::default();
        for (one, two, news) in [
            (&ServiceState::Unknown, &up, &[][..]),
            (&down("refused"), &up, &["1"]),
            (&down("refused"), &down("refused"), &["2"]),
            (&down("no route"), &up, &["1", "2"]),
            (&up, &up, &["1"]),
        ] {
            let found = told.news(&[of("1", one), of("2", two)]);
            let found: Vec<_> = found.into_iter().map(|of| of.target).collect();
            let news: Vec<_> = news.iter().map(|port| port.parse().unwrap()).collect();
            assert_eq!(found, news);
        }
    }
}
