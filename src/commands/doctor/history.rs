//! Checks this machine's disk: the data folder, the tunnel's history, its last event.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use podtap_agent::amount::size;
use podtap_agent::history::{
    Anchor, AttemptSummary, DeliveryState, EventRow, Filter, History, HistoryError, PageQuery,
};
use podtap_connect::io_words;
use podtap_connect::reason::chain;
use podtap_disk::{private, space};
use tokio::time::timeout;

use super::finding::LinkFinding;
use super::walk::LinkResult;
use super::words::since;
use crate::commands::history::FREE_SPACE;
use crate::config::Settings;
use crate::running::holder;
use crate::system;

/// Free space in bytes that a busy tunnel may soon use up.
const LITTLE_SPACE: u64 = 200 * 1024 * 1024;

/// Maximum time for reading the whole history.
const CHECK_LIMIT: Duration = Duration::from_secs(3);

/// The file that is created to test whether the folder is writable.
const TRIAL: &str = "podtap-doctor.tmp";

/// The result of looking for a history.
pub(super) struct FoundHistory {
    /// `None` if the tunnel has no history yet.
    pub(super) history: Option<History>,
}

/// Checks the data folder and the history in it.
pub(super) async fn folder(settings: &Settings) -> LinkResult<FoundHistory> {
    let folder = settings.data_dir().map_err(LinkFinding::of_setting)?;
    let shown = folder.display().to_string();
    writable(&folder).map_err(|error| {
        LinkFinding::new_broken(
            format!("{shown} cannot be written: {}", io_words(&error)),
            "choose a folder that you may write to with --data-dir, or correct its owner and mode",
        )
    })?;
    let free = space::free(&folder).unwrap_or(u64::MAX);
    if space::is_full(&folder) {
        return Err(LinkFinding::new_broken(
            format!("{shown}: the disk is full ({} free)", size(free)),
            FREE_SPACE,
        ));
    }
    let path = settings.history().map_err(LinkFinding::of_setting)?;
    let (history, words) = history(path).await?;
    let detail = match free {
        u64::MAX => format!("{shown}; {words}"),
        free => format!("{shown}, {} free; {words}", size(free)),
    };
    let found = FoundHistory { history };
    if system::is_own(&folder) == Some(false) {
        let fix = "run podtap as one user only: it may be refused files that another user created";
        return Ok((
            LinkFinding::doubtful(format!("{detail}; the folder belongs to another user"), fix),
            found,
        ));
    }
    if free < LITTLE_SPACE {
        let fix = "free some space on that disk soon; --keep-age and --keep-events keep less";
        return Ok((LinkFinding::doubtful(detail, fix), found));
    }
    Ok((LinkFinding::good(detail), found))
}

/// Tests whether files can be created in a folder; creates the folder if it is missing.
fn writable(folder: &Path) -> io::Result<()> {
    private::folder(folder)?;
    let trial = folder.join(TRIAL);
    private::write(&trial, b"")?;
    std::fs::remove_file(trial)
}

/// Opens the history and describes its state.
async fn history(path: PathBuf) -> Result<(Option<History>, String), LinkFinding> {
    let holder = match holder(&path) {
        Some(holder) => match holder.pid {
            Some(pid) => format!("`podtap listen` runs (process {pid})"),
            None => "`podtap listen` runs".to_owned(),
        },
        None => "`podtap listen` does not run".to_owned(),
    };
    if !path.exists() {
        let words = "the tunnel has no history yet";
        return Ok((None, format!("{words}, {holder}")));
    }
    let history = History::open_read_only(&path).map_err(|error| unreadable(&error))?;
    let words = match timeout(CHECK_LIMIT, history.check()).await {
        Ok(Ok(None)) => "the history is sound",
        Ok(Ok(Some(findings))) => {
            let first = findings.first().map_or("", String::as_str);
            return Err(LinkFinding::new_broken(
                format!("the history is damaged: {first}"),
                CURE_OF_DAMAGE,
            ));
        }
        Ok(Err(error)) => return Err(unreadable(&error)),
        Err(_) => "the history is large and was checked only in part",
    };
    Ok((Some(history), format!("{words}, {holder}")))
}

const CURE_OF_DAMAGE: &str = "copy the file away, then start `podtap listen` for this tunnel: it \
     keeps every event that can be read";

fn unreadable(error: &HistoryError) -> LinkFinding {
    let fix = match error {
        HistoryError::Newer { .. } => "install the newest podtap",
        HistoryError::Full { .. } => "free some space on that disk",
        _ => CURE_OF_DAMAGE,
    };
    LinkFinding::new_broken(chain(error), fix)
}

/// Describes the newest event and its outcome.
pub(super) async fn last_event(found: Option<FoundHistory>, now: Timestamp) -> LinkResult<()> {
    let Some(history) = found.and_then(|found| found.history) else {
        return Err(LinkFinding::new_skipped("the tunnel has no history yet"));
    };
    let newest = PageQuery {
        filter: Filter::default(),
        anchor: Anchor::Newest,
        limit: 1,
    };
    let rows = history.page(newest).await;
    let rows = rows.map_err(|error| unreadable(&error))?;
    let finding = match rows.first() {
        None => LinkFinding::good("no event has arrived yet"),
        Some(row) => judge(row, now),
    };
    Ok((finding, ()))
}

fn judge(row: &EventRow, now: Timestamp) -> LinkFinding {
    let what = row.event_type.as_deref().unwrap_or("a request");
    let on = row
        .object
        .as_ref()
        .map_or_else(String::new, |object| format!(" of {object}"));
    let event = format!("{what}{on}, {}", since(row.received_at, now));
    let outcome = row
        .last
        .as_ref()
        .map(|AttemptSummary { outcome, .. }| outcome);
    match outcome {
        Some(Ok(status @ 200..=299)) => LinkFinding::good(format!("{event}: answered {status}")),
        Some(Ok(status)) => LinkFinding::doubtful(
            format!("{event}: answered {status}"),
            "Podio counts every answer other than 2xx as a failure: `podtap show` has the answer, \
             `podtap replay` sends it again",
        ),
        Some(Err(why)) => LinkFinding::doubtful(
            format!("{event}: {why}"),
            "`podtap replay` sends it again when the service is up",
        ),
        None if row.state == DeliveryState::Pending => LinkFinding::doubtful(
            format!("{event}: not delivered yet"),
            "it is delivered when `podtap listen` runs and the local service accepts connections",
        ),
        None => LinkFinding::good(format!("{event}: recorded, not delivered")),
    }
}
