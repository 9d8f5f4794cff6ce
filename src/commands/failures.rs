//! `podtap events --group`: groups failed deliveries by their cause.

use std::process::ExitCode;

use podtap_agent::amount;
use podtap_agent::export::json::FailureObject;
use podtap_agent::history::{FailureGroup, Filter, History, MAX_FAILURES};
use podtap_agent::likely;

use super::damage;
use crate::failure::Failure;
use crate::output::table::table;
use crate::output::{note, print};
use crate::style::LineStyle;

/// Maximum length of a line in the table, in characters.
const LINE: usize = 60;

/// Prints the groups, the one with the latest failure first.
pub(super) async fn run(
    history: &History,
    filter: Filter,
    json: bool,
    limit: usize,
    look: &LineStyle,
) -> Result<ExitCode, Failure> {
    let found = history.failures(filter).await?;
    let all = found.groups.len();
    let groups = found.groups.iter().take(limit);
    if json {
        groups
            .map(|group| FailureObject::from(group).to_line())
            .try_for_each(|line| print(&line))?;
    } else {
        const HEADINGS: [&str; 7] = [
            "EVENTS", "OBJECTS", "LAST", "ANSWER", "SAYS", "PROBABLY", "FAILURE",
        ];
        let rows: Vec<_> = groups.map(|group| cells(group, look)).collect();
        table(HEADINGS, &rows).iter().try_for_each(print)?;
    }
    if all == 0 {
        note("no event that matches failed");
    } else if !json {
        note(
            "podtap events failure:FAILURE lists the events; podtap replay --filter failure:FAILURE sends them again",
        );
    }
    if all > limit || found.is_cut {
        let most = amount::number(MAX_FAILURES as u64);
        note(&format!(
            "there may be more: -l N shows more, of the newest {most} failed events"
        ));
    }
    damage::report(history, podtap_agent::history::Position::default()).await
}

fn cells(group: &FailureGroup, look: &LineStyle) -> [String; 7] {
    let answer = match group.status {
        Some(status) => status.to_string(),
        None => "none".to_owned(),
    };
    let mut line: String = group.line.chars().take(LINE).collect();
    if group.line.chars().nth(LINE).is_some() {
        line.push('…');
    }
    let likely = likely::of(group.outcome());
    [
        amount::number(group.events),
        amount::number(group.objects as u64),
        look.time("%m-%d %H:%M", group.last_at),
        answer,
        line,
        likely.reason.to_owned(),
        group.fingerprint.clone(),
    ]
}
