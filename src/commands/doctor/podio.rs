//! Checks Podio's API: whether it accepts the
//! credentials, and how many calls are left in this hour.

use jiff::SignedDuration;
use jiff::Timestamp;
use podtap_agent::amount;
use podtap_podio::client::{CallBudget, Client, Error};

use super::finding::LinkFinding;
use super::walk::LinkResult;
use crate::commands::podio::impatient_client;
use crate::config::Settings;

/// Below this number of calls, important ones may fail: `listen` needs some to maintain its hooks.
const FEW_CALLS: u64 = 50;

/// Checks whether Podio's API accepts the credentials.
pub(super) async fn api(settings: &Settings, now: Timestamp) -> LinkResult<Client> {
    let client = impatient_client(settings).map_err(|failure| {
        let hint = failure
            .fact_value("try")
            .unwrap_or("set all of them, or none");
        LinkFinding::new_broken(failure.what(), hint)
    })?;
    let Some(client) = client else {
        return Err(LinkFinding::new_skipped(
            "no Podio credentials are set, or a password is asked for at the start: set \
             PODTAP_PODIO_CLIENT_ID and PODTAP_PODIO_CLIENT_SECRET with an app's id and token, or run \
             `podtap login`",
        ));
    };
    if let Some(budget) = client.budget().await
        && let Some(spent) = budget_spent(&budget, now)
    {
        return Err(spent);
    }
    let reached = client.scopes().await.map_err(|error| of_refusal(&error))?;
    let budget = client.budget().await;
    let left = match &budget {
        Some(budget) => format!(
            "{} of {} calls left this hour",
            budget.remaining, budget.limit
        ),
        None => "calls left this hour: unknown".to_owned(),
    };
    let detail = format!("accepts the credentials; {left}");
    let is_low = budget.is_some_and(|budget| budget.remaining < FEW_CALLS.min(budget.limit / 10));
    let finding = if is_low {
        LinkFinding::doubtful(detail, "stop other programs that use the same credentials")
    } else {
        LinkFinding::good(detail)
    };
    // It is enough that the tokens reach something; what they reach is not needed.
    drop(reached);
    Ok((finding, client))
}

/// Returns the finding for a used-up rate limit, so no call is made to learn that.
fn budget_spent(budget: &CallBudget, now: Timestamp) -> Option<LinkFinding> {
    if budget.remaining > 0 && budget.closed_until.is_none() {
        return None;
    }
    let until = budget.closed_until.unwrap_or(budget.resets_by);
    // To the end of the minute in which there are more.
    let wait = until.duration_since(now).max(SignedDuration::ZERO) + SignedDuration::from_mins(1);
    Some(LinkFinding::new_broken(
        format!(
            "{} of {} calls left this hour",
            budget.remaining, budget.limit
        ),
        format!(
            "wait up to {} for more calls, and stop other programs that use the same credentials",
            amount::age(wait)
        ),
    ))
}

fn of_refusal(error: &Error) -> LinkFinding {
    let words = podtap_agent::reason::of_podio(error);
    let fix = match error {
        Error::Unauthorized { .. } => {
            "check PODTAP_PODIO_CLIENT_ID, PODTAP_PODIO_CLIENT_SECRET and the app's token (its \
             Developer page), or run `podtap login`"
        }
        Error::LoginNeeded | Error::SecondFactor => "run `podtap login`",
        Error::RateLimited { .. } => {
            "wait for the next hour, and stop other programs that use the same credentials"
        }
        Error::Timeout { .. } | Error::Transport { .. } => {
            "check --podio-url, the proxy and the network; https://status.podio.com lists outages"
        }
        _ => "check --podio-url: this server may not be Podio's API",
    };
    LinkFinding::new_broken(words, fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_is_made_where_none_is_left() {
        let now = Timestamp::UNIX_EPOCH;
        let budget = |remaining, closed_until| CallBudget {
            limit: 1_000,
            remaining,
            resets_by: Timestamp::from_second(90).unwrap(),
            closed_until,
        };
        assert_eq!(budget_spent(&budget(1, None), now), None);
        let found = budget_spent(&budget(0, None), now).unwrap();
        assert!(found.detail.starts_with("0 of 1000"), "{}", found.detail);
        assert!(found.fix.unwrap().contains("up to 2 min"));
        let later = Timestamp::from_second(3_600).unwrap();
        assert!(budget_spent(&budget(9, Some(later)), now).is_some());
    }
}
