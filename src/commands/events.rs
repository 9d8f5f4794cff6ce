//! `podtap events`: lists the history.

use std::process::ExitCode;

use jiff::Timestamp;
use podtap_agent::export::archive::{self, ArchiveError, Format, Selection};
use podtap_agent::history::{Anchor, EventRow, Filter, History, PageQuery};

use super::history::open;
use crate::cli::Events;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::{lines, print};

/// Rows read at once.
const PAGE: usize = 500;

/// Prints the newest events that match, the oldest of them first, as a log reads.
pub(crate) async fn run(events: Events, settings: &Settings) -> Result<ExitCode, Failure> {
    let filter = parse_filter(&events.filter.join(" "), settings)?;
    let history = open(settings)?;
    if let Some(format) = archive_format(&events) {
        let base = match settings.target()? {
            Some(target) => target.to_string(),
            None => "http://localhost:3000".to_owned(),
        };
        let most = events.limit;
        let selection = Selection::Filter { filter, most };
        archive::write(&history, selection, format, &base, std::io::stdout()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = newest(&history, &filter, events.limit).await?;
    rows.reverse();
    for line in lines::listing(&rows, Timestamp::now(), &settings.look()?) {
        print(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn archive_format(events: &Events) -> Option<Format> {
    match (events.json, events.har) {
        (true, _) => Some(Format::Ndjson),
        (false, true) => Some(Format::Har),
        (false, false) => None,
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::History(error) => error.into(),
            ArchiveError::Write(error) => error.into(),
        }
    }
}

/// A filter, or where it goes wrong.
pub(super) fn parse_filter(text: &str, settings: &Settings) -> Result<Filter, Failure> {
    let now = Timestamp::now();
    Filter::parse(text, now, &settings.filters(now)?).map_err(|error| {
        Failure::usage("the filter cannot be read").fact("filter", error.to_string())
    })
}

/// At most `limit` matching rows, the newest first.
pub(super) async fn newest(
    history: &History,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<EventRow>, Failure> {
    let mut rows: Vec<EventRow> = Vec::new();
    while rows.len() < limit {
        let anchor = rows
            .last()
            .map_or(Anchor::Newest, |row| Anchor::Before(row.position));
        let wanted = PAGE.min(limit - rows.len());
        let page = history
            .page(PageQuery {
                filter: filter.clone(),
                anchor,
                limit: wanted,
            })
            .await?;
        let last = page.len() < wanted;
        rows.extend(page);
        if last {
            break;
        }
    }
    Ok(rows)
}
