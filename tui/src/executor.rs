//! Effects → work → answers: the only file that awaits the agent. Work runs in tasks that this
//! owns; dropping it ends them.

use std::future::pending;

use jiff::tz::TimeZone;
use podtap_agent::history::{Anchor, Filter, History, HistoryError, MAX_PAGE, PageQuery, Position};
use podtap_agent::{AgentHandle, EventId, Replay};
use tokio::task::JoinSet;

use crate::detail::Opened;
use crate::editor;
use crate::effect::Effect;
use crate::line::Line;
use crate::message::Answer;

/// Work under way at once. The panes ask one question at a time, so only replays add up to this.
const MOST: usize = 64;

/// What carries out effects.
#[derive(Debug)]
pub(crate) struct Executor {
    agent: AgentHandle,
    zone: TimeZone,
    work: JoinSet<Answer>,
}

impl Executor {
    /// An executor for one agent; times are laid out in `zone`.
    pub(crate) fn new(agent: AgentHandle, zone: TimeZone) -> Self {
        Self {
            agent,
            zone,
            work: JoinSet::new(),
        }
    }

    /// Starts an effect; its answer comes from [`Self::next`]. Effects that concern the terminal
    /// are the runtime's, not this one's.
    pub(crate) fn start(&mut self, effect: Effect) {
        let agent = self.agent.clone();
        match effect {
            Effect::LoadPage { generation, query } => {
                self.work.spawn(async move {
                    let result = agent.history().page(query).await;
                    Answer::Page {
                        generation,
                        result: result.map_err(words),
                    }
                });
            }
            Effect::Count { filter } => {
                self.work.spawn(async move {
                    let result = agent.history().count(filter).await;
                    Answer::Count {
                        result: result.map_err(words),
                    }
                });
            }
            Effect::FindAll { filter, most } => {
                self.work.spawn(async move {
                    let result = find_all(agent.history(), filter, most).await;
                    Answer::FoundAll {
                        result: result.map_err(words),
                    }
                });
            }
            Effect::LoadEvent {
                generation,
                id,
                width,
            } => {
                let zone = self.zone.clone();
                self.work.spawn(async move {
                    let result = open(agent.history(), id, width, zone).await;
                    Answer::Event { generation, result }
                });
            }
            Effect::Replay { id, target, edited } => {
                let edited = edited.map(|edited| *edited);
                self.replay(
                    agent,
                    Replay {
                        event: id,
                        target,
                        edited,
                    },
                );
            }
            Effect::Compare { one, other } => {
                self.work.spawn(async move {
                    let result = compare(agent.history(), one, other).await;
                    Answer::Compared { result }
                });
            }
            Effect::Explain { id } => {
                self.work.spawn(async move {
                    let result = agent.explain(id).await.map(Box::new).map_err(words);
                    Answer::Explained { result }
                });
            }
            Effect::Standings => {
                self.work.spawn(async move {
                    let result = agent.standings().await.map_err(words);
                    Answer::Standings { result }
                });
            }
            Effect::Release { object } => {
                self.work.spawn(async move {
                    let result = agent.release(object).await.map_err(words);
                    Answer::Released { object, result }
                });
            }
            Effect::Draw
            | Effect::Suspend
            | Effect::Edit { .. }
            | Effect::Copy(_)
            | Effect::Quit => {}
        }
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.work.is_empty()
    }

    /// The next answer; waits for ever where nothing is under way.
    ///
    /// # Cancel safety
    /// Nothing is lost when this is dropped before it is ready.
    pub(crate) async fn next(&mut self) -> Answer {
        loop {
            match self.work.join_next().await {
                Some(Ok(answer)) => return answer,
                Some(Err(error)) if error.is_panic() => {
                    std::panic::resume_unwind(error.into_panic())
                }
                Some(Err(_)) => {}
                None => pending().await,
            }
        }
    }

    fn replay(&mut self, agent: AgentHandle, replay: Replay) {
        let refused = self.work.len() >= MOST;
        self.work.spawn(async move {
            let id = replay.event;
            let result = if refused {
                Err("too many replays are under way".to_owned())
            } else {
                agent.replay(replay).await.map(Box::new).map_err(words)
            };
            Answer::Replayed { id, result }
        });
    }
}

/// The places of the newest `most` events that the filter wants, a page after the other.
async fn find_all(
    history: &History,
    filter: Filter,
    most: usize,
) -> Result<Vec<(Position, EventId)>, HistoryError> {
    let (mut found, mut anchor) = (Vec::new(), Anchor::Newest);
    while found.len() < most {
        let limit = MAX_PAGE.min(most - found.len());
        let query = PageQuery {
            filter: filter.clone(),
            anchor,
            limit,
        };
        let page = history.page(query).await?;
        found.extend(page.iter().map(|row| (row.position, row.id)));
        match page.last() {
            Some(last) if page.len() == limit => anchor = Anchor::Before(last.position),
            _ => break,
        }
    }
    Ok(found)
}

/// Lets a person edit a file with their editor, a shell command to which the path is added.
pub(crate) async fn edit(editor: &str, file: &str) -> Result<String, String> {
    let made = tempfile::Builder::new()
        .prefix("podtap-")
        .suffix(".http")
        .tempfile();
    let path = made.map_err(words)?.into_temp_path();
    tokio::fs::write(&path, file).await.map_err(words)?;
    let mut command = tokio::process::Command::new("sh");
    command
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(&path)
        .kill_on_drop(true);
    let status = command.status().await.map_err(words)?;
    if !status.success() {
        return Err(format!("nothing was sent: `{editor}` ended with {status}"));
    }
    tokio::fs::read_to_string(&path).await.map_err(words)
}

/// The lines in which the requests of two events differ.
async fn compare(history: &History, one: EventId, other: EventId) -> Result<Vec<Line>, String> {
    let (one, other) = tokio::join!(history.event(one), history.event(other));
    let (Some(one), Some(other)) = (one.map_err(words)?, other.map_err(words)?) else {
        return Err("one of the two events is no longer in the history".to_owned());
    };
    let compared =
        move || editor::difference(&editor::write(&one.request), &editor::write(&other.request));
    tokio::task::spawn_blocking(compared).await.map_err(words)
}

/// Reads an event with its attempts and lays it out, the latter on a thread that may block.
async fn open(
    history: &History,
    id: EventId,
    width: usize,
    zone: TimeZone,
) -> Result<Option<Box<Opened>>, String> {
    let Some(event) = history.event(id).await.map_err(words)? else {
        return Ok(None);
    };
    let attempts = history.attempts(id).await.map_err(words)?;
    let lay_out = move || Box::new(Opened::new(event, &attempts, width, &zone));
    tokio::task::spawn_blocking(lay_out)
        .await
        .map(Some)
        .map_err(words)
}

/// An error and what caused it, in words.
fn words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
