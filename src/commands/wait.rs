//! `podtap wait`: waits until matching events have arrived.

use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::amount;
use podtap_agent::export::json::EventObject;
use podtap_agent::history::{EventRow, Filter};
use podtap_agent::wait::{AwaitedEvents, EventWait, InVain, WaitError};
use podtap_connect::reason::chain;

use super::events::{name_unknown, parse_filter, print_listing};
use super::history::load;
use crate::cli::Wait;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::lines::Listing;
use crate::output::print;
use crate::output::question::event_count;
use crate::parse::duration;
use crate::running::holder;
use crate::shutdown::Shutdown;
use crate::style::{LineStyle, StyledLine};

/// Waits for the events and prints them, oldest first.
pub(crate) async fn run(wait: Wait, settings: &Settings) -> Result<ExitCode, Failure> {
    let text = wait.filter.join(" ");
    let within = duration(&wait.within).map_err(|expected| {
        Failure::usage(format!("timeout cannot be `{}`", wait.within))
            .fact("why", format!("it should be {expected}"))
    })?;
    let since = moment("since", &wait.since)?;
    let count = usize::try_from(wait.count).unwrap_or(usize::MAX);
    let filter = parse_filter(&text, settings)?;
    let mut waiting = EventWait::new(filter.clone(), since, within).count(count);
    if wait.verified {
        waiting = waiting.once_verified();
    }
    if wait.delivered {
        waiting = waiting.once_delivered();
    }
    let path = settings.history()?;
    let shutdown = Shutdown::register()?;
    let found = tokio::select! {
        () = shutdown.token().cancelled() => return Ok(shutdown.exit_code()),
        found = waiting.run(&path) => found,
    };
    let AwaitedEvents { history, events } = match found {
        Ok(found) => found,
        Err(WaitError::History(error)) => return Err(error.into()),
        Err(WaitError::NoHistory(trouble)) => {
            let failure = no_history(within, settings)?;
            return Err(match trouble {
                Some(error) => failure.fact("why", chain(&error)),
                None => failure,
            }
            .hint("`podtap listen 3000` creates one; --name chooses another"));
        }
        Err(WaitError::TooFew(in_vain)) => {
            return Err(too_few(&in_vain, &wait, (&text, &filter), settings)?);
        }
    };
    if wait.json {
        for event in &events {
            let event = load(&history, event.id).await?;
            let attempts = history.attempts(event.id).await?;
            print(&EventObject::new(&event, Some(&attempts)).to_line())?;
        }
    } else {
        print_listing(&history, &events, Vec::new(), &settings.line_style()?).await?;
    }
    Ok(shutdown.exit_code())
}

fn no_history(within: Duration, settings: &Settings) -> Result<Failure, Failure> {
    let (within, tunnel) = (amount::duration(within), settings.tunnel()?);
    Ok(Failure::new(
        Code::NothingMatched,
        format!("no event arrived within {within}: the tunnel {tunnel} has no history yet"),
    ))
}

/// Returns the failure with the events that arrived instead.
fn too_few(
    in_vain: &InVain,
    wait: &Wait,
    (text, filter): (&str, &Filter),
    settings: &Settings,
) -> Result<Failure, Failure> {
    let within = &wait.within;
    let within = duration(within).map_or_else(|_| within.clone(), amount::duration);
    let what = match (in_vain.matched, wait.count) {
        (0, _) => format!("no event matched within {within}"),
        (matched, count) => {
            let events = event_count(u64::from(count));
            format!("only {matched} of {events} matched within {within}")
        }
    };
    let mut failure = Failure::new(Code::NothingMatched, what);
    if !text.is_empty() {
        failure = failure.fact("filter", text);
    }
    if in_vain.matched == 0 {
        failure = name_unknown(failure, filter);
    }
    let label = if in_vain.are_near {
        "matched"
    } else {
        "instead"
    };
    failure = failure.fact(label, listing(&in_vain.rows, settings)?);
    if holder(&settings.history()?).is_none() {
        let tunnel = settings.tunnel()?;
        let agent = format!("none is running for the tunnel {tunnel}");
        return Ok(failure
            .fact("agent", agent)
            .hint("start `podtap listen 3000`, or choose another tunnel with --name"));
    }
    Ok(failure)
}

/// Formats rows for an error.
fn listing(rows: &[EventRow], settings: &Settings) -> Result<String, Failure> {
    if rows.is_empty() {
        return Ok("nothing arrived".to_owned());
    }
    let look = LineStyle {
        coloured: false,
        ..settings.line_style()?
    };
    let listing = Listing::of(rows.iter().map(|row| row.received_at), &look);
    let lines: Vec<_> = rows.iter().map(|row| listing.event(row)).collect();
    let lines: Vec<&str> = lines.iter().map(StyledLine::as_str).collect();
    Ok(lines.join("\n"))
}

/// Parses the time from which events count: a duration before now, or a time as in a filter.
pub(super) fn moment(flag: &str, text: &str) -> Result<Timestamp, Failure> {
    let now = Timestamp::now();
    let ago = duration(text)
        .ok()
        .and_then(|ago| now.checked_sub(ago).ok());
    if let Some(then) = ago {
        return Ok(then);
    }
    Filter::time(text, now).map_err(|expected| {
        Failure::usage(format!("{flag} cannot be `{text}`")).fact("why", expected)
    })
}
