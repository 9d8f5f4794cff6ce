//! `podtap events`: lists the history.

use std::process::ExitCode;

use jiff::Timestamp;
use podtap_agent::export::archive::{self, ArchiveError, ArchiveFormat, ArchiveSelection};
use podtap_agent::history::{Filter, FoundEvent, History, HistoryGap, MAX_PAGE, Position};
use podtap_tui::SafeText;

use super::damage;
use super::failures;
use super::history::open;
use crate::cli::Events;
use crate::config::Settings;
use crate::failure::{Code, Failure, Warning};
use crate::output::lines::Listing;
use crate::output::{note, print};
use crate::style::LineStyle;

/// Default number of lines: a screen and a half.
const LINES: usize = 50;

/// Prints the newest matching events, oldest first, as in a log.
pub(crate) async fn run(events: Events, settings: &Settings) -> Result<ExitCode, Failure> {
    let text = events.filter.join(" ");
    let filter = parse_filter(&text, settings)?;
    let history = open(settings)?;
    if !filter.is_empty() {
        let left = history.make_searchable().await?;
        if left > 0 {
            let events = if left == 1 { "event" } else { "events" };
            note(&format!(
                "{left} {events} cannot be searched for words yet; searching again continues"
            ));
        }
    }
    if events.group {
        let limit = events.limit.unwrap_or(usize::MAX);
        let look = settings.line_style()?;
        return failures::run(&history, filter, events.json, limit, &look).await;
    }
    let mut from = Position::default();
    let shown = if let Some(format) = archive_format(&events) {
        // A command target has no URL that another tool could call.
        let service = settings.target()?.filter(|target| target.url().is_some());
        let target = service.unwrap_or_default();
        let most = events.limit.unwrap_or(usize::MAX);
        let filter = filter.clone();
        let selection = ArchiveSelection::Filter { filter, most };
        archive::write(&history, selection, format, &target, std::io::stdout()).await?
    } else {
        let limit = events.limit.unwrap_or(LINES);
        let found = history.find_newest(filter.clone(), limit).await?;
        if let Some(oldest) = found.first().filter(|_| found.len() >= limit) {
            from = oldest.position;
        }
        // Between the events of a filter, a gap says nothing.
        let gaps = if filter.is_empty() && limit > 0 {
            history.gaps(from, Position(i64::MAX)).await?
        } else {
            Vec::new()
        };
        print_listing(&history, &found, gaps, &settings.line_style()?).await?;
        found.len() as u64
    };
    if shown == 0 && !filter.is_empty() {
        return Err(nothing_matches(&text, &filter));
    }
    let all = history.count(filter).await?;
    if all == 0 {
        note("the history has no events yet");
    }
    if shown < all {
        note(&format!("{shown} of {all} events (-l N shows more)"));
    }
    damage::report(&history, from).await
}

/// Prints these events, oldest first, with the gaps between them, page by page.
pub(super) async fn print_listing(
    history: &History,
    events: &[FoundEvent],
    gaps: Vec<HistoryGap>,
    look: &LineStyle,
) -> Result<(), Failure> {
    let times = events.iter().map(|event| event.received_at);
    let listing = Listing::of(times.chain(gaps.iter().map(|gap| gap.found_at)), look);
    let mut gaps = gaps.into_iter().peekable();
    for page in events.chunks(MAX_PAGE) {
        for row in history.rows_of(page).await? {
            while let Some(gap) = gaps.next_if(|gap| gap.position < row.position) {
                print(&listing.gap(&gap))?;
            }
            print(&listing.event(&row))?;
        }
    }
    gaps.try_for_each(|gap| print(&listing.gap(&gap)))
}

/// Returns the failure for a filter that matches no event.
pub(super) fn nothing_matches(text: &str, filter: &Filter) -> Failure {
    let failure = Failure::new(Code::NothingMatched, "no event matches the filter");
    name_unknown(failure.fact("filter", text), filter)
}

/// Adds the unknown name of a filter to the failure, unless a warning has named it.
pub(super) fn name_unknown(failure: Failure, filter: &Filter) -> Failure {
    match filter.unknown_name() {
        Some(name) if filter.nearly_fields().is_empty() => failure.fact("why", name.to_string()),
        _ => failure,
    }
}

fn archive_format(events: &Events) -> Option<ArchiveFormat> {
    match (events.json, events.har) {
        (true, _) => Some(ArchiveFormat::Ndjson),
        (false, true) => Some(ArchiveFormat::Har),
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

/// Parses a filter, or shows the position of the mistake. An unknown field counts
/// as a parameter of the body; a warning points out one that is nearly a field.
pub(super) fn parse_filter(text: &str, settings: &Settings) -> Result<Filter, Failure> {
    let now = Timestamp::now();
    let filter = Filter::parse(text, now, &settings.filters(now)?).map_err(|error| {
        // The terminal width of the text before the mistake.
        let before: String = text.chars().take(error.column.saturating_sub(1)).collect();
        let indent = " ".repeat(SafeText::new(&before).width());
        Failure::usage("the filter cannot be read")
            .fact("filter", format!("{text}\n{indent}^"))
            .fact("why", error.to_string())
    })?;
    for nearly in filter.nearly_fields() {
        settings.report(Warning::new(nearly.to_string()))?;
    }
    Ok(filter)
}
