//! `podtap wait`: until events that match have arrived.
//!
//! One question asked again and again: which events since then match? What is there already and what
//! comes later are the same to it, so that it loses no race, and an event counts as soon as it matches,
//! which may be long after it arrived.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::amount;
use podtap_agent::export::json::EventObject;
use podtap_agent::history::{
    Anchor, EventRow, Filter, History, HistoryError, MAX_PAGE, Mark, PageQuery, Position,
};
use podtap_connect::reason::chain;
use tokio::time::Instant;

use super::events::{newest, parse_filter};
use super::history::load;
use crate::cli::Wait;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::question::event_count;
use crate::output::{lines, print};
use crate::parse::duration;
use crate::running::holder;
use crate::shutdown::Shutdown;
use crate::style::{LineStyle, StyledLine};

/// The pause between two looks, and how much longer than a look it is at least: looking costs at most
/// a tenth of the time.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSES: u32 = 9;

/// Events that are shown when they were not the right ones.
const SHOWN: usize = 5;

/// Waits, and prints what was waited for, the oldest first.
pub(crate) async fn run(wait: Wait, settings: &Settings) -> Result<ExitCode, Failure> {
    let waiting = Waiting::of(&wait, settings)?;
    let shutdown = Shutdown::register()?;
    let found = tokio::select! {
        () = shutdown.token().cancelled() => return Ok(shutdown.exit_code()),
        found = waiting.to_the_end(settings) => found?,
    };
    let Found { history, rows } = found;
    if wait.json {
        for row in &rows {
            let event = load(&history, row.id).await?;
            let attempts = history.attempts(row.id).await?;
            print(&EventObject::new(&event, Some(&attempts)).to_line())?;
        }
    } else {
        for line in lines::listing(&rows, Timestamp::now(), &settings.line_style()?) {
            print(&line)?;
        }
    }
    Ok(shutdown.exit_code())
}

/// What is waited for.
struct Waiting {
    /// The filter as typed.
    text: String,
    /// What of it is typed.
    asked: Filter,
    /// All that an event must be.
    wanted: Filter,
    since: Timestamp,
    count: usize,
    within: Duration,
}

/// The events, and the history that they are in.
struct Found {
    history: History,
    rows: Vec<EventRow>,
}

impl Waiting {
    fn of(wait: &Wait, settings: &Settings) -> Result<Self, Failure> {
        let text = wait.filter.join(" ");
        let since = moment("since", &wait.since)?;
        let asked = parse_filter(&text, settings)?.since(since);
        let mut wanted = asked.clone();
        if wait.verified {
            wanted = wanted.and_marked(Mark::Verified);
        }
        if wait.delivered {
            wanted = wanted.and_answered();
        }
        let within = duration(&wait.within).map_err(|expected| {
            Failure::usage(format!("timeout cannot be `{}`", wait.within))
                .fact("why", format!("it should be {expected}"))
        })?;
        Ok(Self {
            text,
            asked,
            wanted,
            since,
            count: usize::try_from(wait.count).unwrap_or(usize::MAX),
            within,
        })
    }

    async fn to_the_end(&self, settings: &Settings) -> Result<Found, Failure> {
        let path = settings.history()?;
        let deadline = Instant::now() + self.within;
        let mut looker = None;
        let mut trouble = None;
        loop {
            let begun = Instant::now();
            if looker.is_none() {
                looker = match self.open(&path).await {
                    Ok(looker) => looker,
                    Err(error @ HistoryError::Newer { .. }) => return Err(error.into()),
                    // It is being made, or locked: that passes, or is said at the end.
                    Err(error) => {
                        trouble = Some(error);
                        None
                    }
                };
            }
            if let Some((history, floor)) = &looker {
                match self.read_matching(history, *floor, self.count).await {
                    Ok(rows) if rows.len() >= self.count => {
                        let history = history.clone();
                        return Ok(Found { history, rows });
                    }
                    Ok(_) => trouble = None,
                    Err(error) if error.may_pass() => trouble = Some(error),
                    Err(error) => return Err(error.into()),
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.in_vain(looker, trouble, settings).await?);
            }
            let pause = PAUSE.max(begun.elapsed().saturating_mul(PAUSES));
            tokio::time::sleep(pause.min(left)).await;
        }
    }

    /// The history as soon as there is one, and the place before the first event that counts.
    async fn open(&self, path: &Path) -> Result<Option<(History, Position)>, HistoryError> {
        if !path.exists() {
            return Ok(None);
        }
        let history = History::open_read_only(path)?;
        let newest = history.newest().await?.unwrap_or_default();
        let recent = Filter::default().since(self.since);
        let recent = oldest(&history, &recent, Position::default(), 1).await?;
        let Some(first) = recent.first() else {
            return Ok(Some((history, newest)));
        };
        let before = page(Filter::default(), Anchor::Before(first.position), 1);
        let before = history.page(before).await?;
        let floor = before.first().map(|row| row.position).unwrap_or_default();
        Ok(Some((history, floor)))
    }

    async fn read_matching(
        &self,
        history: &History,
        floor: Position,
        count: usize,
    ) -> Result<Vec<EventRow>, HistoryError> {
        oldest(history, &self.wanted, floor, count).await
    }

    /// What came instead.
    async fn in_vain(
        &self,
        looker: Option<(History, Position)>,
        trouble: Option<HistoryError>,
        settings: &Settings,
    ) -> Result<Failure, Failure> {
        let within = amount::duration(self.within);
        let tunnel = settings.tunnel()?;
        let Some((history, floor)) = looker else {
            let failure = Failure::new(
                Code::NothingMatched,
                format!("no event arrived within {within}: the tunnel {tunnel} has no history yet"),
            );
            let failure = match trouble {
                Some(error) => failure.fact("why", chain(&error)),
                None => failure,
            };
            return Ok(failure.hint("`podtap listen 3000` creates one; --name chooses another"));
        };
        let matched = self.read_matching(&history, floor, self.count).await?.len();
        let what = match (matched, self.count) {
            (0, _) => format!("no event matched within {within}"),
            (matched, count) => {
                format!(
                    "only {matched} of {} matched within {within}",
                    event_count(count as u64)
                )
            }
        };
        let mut failure = Failure::new(Code::NothingMatched, what);
        if !self.text.is_empty() {
            failure = failure.fact("filter", &self.text);
        }
        let nearly = newest(&history, &self.asked, SHOWN).await?;
        let (label, seen) = if nearly.is_empty() {
            let mut rows = newest(&history, &Filter::default(), SHOWN).await?;
            rows.retain(|row| row.position > floor);
            ("instead", rows)
        } else {
            ("matched", nearly)
        };
        failure = failure.fact(label, listing(seen, settings)?);
        if holder(&settings.history()?).is_none() {
            let agent = format!("none is running for the tunnel {tunnel}");
            return Ok(failure
                .fact("agent", agent)
                .hint("start `podtap listen 3000`, or choose another tunnel with --name"));
        }
        Ok(failure)
    }
}

/// The rows for an error, the oldest first.
fn listing(mut rows: Vec<EventRow>, settings: &Settings) -> Result<String, Failure> {
    if rows.is_empty() {
        return Ok("nothing arrived".to_owned());
    }
    rows.reverse();
    let look = LineStyle {
        coloured: false,
        ..settings.line_style()?
    };
    let lines = lines::listing(&rows, Timestamp::now(), &look);
    let lines: Vec<&str> = lines.iter().map(StyledLine::as_str).collect();
    Ok(lines.join("\n"))
}

/// The first `limit` events after this place that match, the oldest first.
async fn oldest(
    history: &History,
    filter: &Filter,
    mut after: Position,
    limit: usize,
) -> Result<Vec<EventRow>, HistoryError> {
    let mut found: Vec<EventRow> = Vec::new();
    while found.len() < limit {
        let wanted = MAX_PAGE.min(limit - found.len());
        let query = page(filter.clone(), Anchor::After(after), wanted);
        let mut rows = history.page(query).await?;
        rows.reverse();
        let is_last = rows.len() < wanted;
        after = rows.last().map_or(after, |row| row.position);
        found.append(&mut rows);
        if is_last {
            break;
        }
    }
    Ok(found)
}

const fn page(filter: Filter, anchor: Anchor, limit: usize) -> PageQuery {
    PageQuery {
        filter,
        anchor,
        limit,
    }
}

/// The moment from which events count: a time before now, or a moment as in a filter.
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
