//! Property tests: a key acts on the event that was on the screen at the key press before it,
//! whatever changes in the history between the two.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use podtap_agent::EventId;
use podtap_agent::history::{Anchor, Burst, Event, EventRow, HistoryRow, PageQuery, Position};
use proptest::prelude::*;

use crate::app::App;
use crate::changes::Changes;
use crate::copy::{CopyAnswer, CopyEffect};
use crate::detail::DetailAnswer;
use crate::detail::DetailEffect;
use crate::edit::{EditAnswer, EditEffect, EditorFile};
use crate::effect::Effect;
use crate::explain::ExplainEffect;
use crate::keymap::KeyPress;
use crate::list::Folding;
use crate::list::ListAnswer;
use crate::list::{ListEffect, ListPage};
use crate::message::{FeatureAnswer, Message};
use crate::notes::NotesEffect;
use crate::replay::ReplayEffect;
use crate::testing::{answer, app, event, frame, gap, id, now, opened_as, row};

/// A history that changes while keys are pressed.
#[derive(Debug, Clone)]
struct ChangingHistory {
    newest: i64,
    /// Events that retention has removed.
    removed: BTreeSet<i64>,
    /// The bursts, each with its first and last event.
    bursts: Vec<(i64, i64)>,
    /// The positions of gaps.
    gaps: BTreeSet<i64>,
}

impl ChangingHistory {
    fn with(newest: i64) -> Self {
        Self {
            newest,
            removed: BTreeSet::new(),
            bursts: Vec::new(),
            gaps: BTreeSet::new(),
        }
    }

    fn has(&self, position: i64) -> bool {
        (1..=self.newest).contains(&position) && !self.removed.contains(&position)
    }

    /// Returns every row, newest first, folded as the history folds them.
    fn rows(&self, query: &PageQuery, folding: Option<&Folding>) -> Vec<EventRow> {
        let wants_odd = !query.filter.is_empty();
        let all = (1..=self.newest).rev().filter(|at| self.has(*at));
        let mut rows: Vec<EventRow> = Vec::new();
        let is_wanted = |at: &i64| !wants_odd || at % 2 == 1 && !self.gaps.contains(at);
        for at in all.filter(is_wanted) {
            let is_open = |(first, last): &&(i64, i64)| {
                let holds = |at: Position| (*first..=*last).contains(&at.0);
                folding.is_none_or(|it| it.opened.iter().any(|at| holds(*at)))
            };
            let pinned = folding.and_then(|it| it.pinned).map(|pinned| pinned.0);
            let burst = self
                .bursts
                .iter()
                .find(|(first, last)| (*first..=*last).contains(&at));
            let last = rows.last_mut().and_then(|row| row.burst.as_mut());
            match (
                burst.filter(|burst| !is_open(burst) && pinned != Some(at)),
                last,
            ) {
                (Some((first, _)), Some(above))
                    if above.first.0 > at && above.since == row(*first).received_at =>
                {
                    above.first = Position(at);
                    above.events += 1;
                }
                (Some((first, _)), _) => rows.push(EventRow {
                    burst: Some(Burst {
                        first: Position(at),
                        last: Position(at),
                        events: 1,
                        since: row(*first).received_at,
                        until: row(at).received_at,
                        answered: 1,
                        failed: 0,
                        slowest: None,
                    }),
                    ..row(at)
                }),
                (None, _) => rows.push(row(at)),
            }
        }
        rows
    }

    fn page(&self, query: &PageQuery, folding: Option<&Folding>) -> ListPage {
        let rows = self.rows(query, folding);
        let limit = query.limit;
        let page: Vec<EventRow> = match query.anchor {
            Anchor::Newest => rows.into_iter().take(limit).collect(),
            Anchor::Before(at) => {
                let older = rows.into_iter().filter(|row| row.oldest().0 < at.0);
                older.take(limit).collect()
            }
            Anchor::After(at) => {
                let newer: Vec<_> = rows
                    .into_iter()
                    .filter(|row| row.position.0 > at.0)
                    .collect();
                let from = newer.len().saturating_sub(limit);
                newer.into_iter().skip(from).collect()
            }
            Anchor::Around(at) => {
                let middle = rows.partition_point(|row| row.position.0 > at.0);
                let from = middle.saturating_sub(limit / 2);
                rows.into_iter().skip(from).take(limit).collect()
            }
        };
        let rows = page.into_iter().map(|row| match row.position.0 {
            at if self.gaps.contains(&at) => HistoryRow::Gap(gap(at)),
            _ => HistoryRow::Event(row),
        });
        ListPage {
            newest: Position(self.newest),
            ..rows.collect::<Vec<_>>().into()
        }
    }

    fn answer(&self, effect: Effect) -> Option<FeatureAnswer> {
        Some(match effect {
            Effect::List(ListEffect::LoadPage {
                generation,
                query,
                folding,
            }) => FeatureAnswer::List(ListAnswer::Page {
                generation,
                result: Ok(self.page(&query, folding.as_ref())),
            }),
            Effect::Detail(DetailEffect::LoadEvent {
                generation,
                id: wanted,
                options,
            }) => {
                let at = (1..=self.newest).find(|at| id(*at) == wanted);
                let at = at.filter(|at| self.has(*at));
                FeatureAnswer::Detail(DetailAnswer::Event {
                    generation,
                    result: Ok(at.map(|at| opened_as(at, options))),
                })
            }
            Effect::Copy(CopyEffect::Read { id, form }) => {
                let result = self.event(id);
                FeatureAnswer::Copy(CopyAnswer::Read { form, result })
            }
            Effect::Edit(EditEffect::Read { id }) => {
                let result = self.event(id);
                FeatureAnswer::Edit(EditAnswer::Read { result })
            }
            effect => return answer(effect, self.newest),
        })
    }

    fn event(&self, wanted: EventId) -> Result<Box<Event>, String> {
        let at = (1..=self.newest).find(|at| id(*at) == wanted);
        let at = at.filter(|at| self.has(*at)).ok_or("it is gone");
        at.map(|at| Box::new(event(at))).map_err(str::to_owned)
    }

    /// Changes the history, and returns the changes that the agent announces.
    fn happen(&mut self, what: Happening, app: &App) -> Vec<Message> {
        let mut changes = Changes::default();
        match what {
            Happening::Arrive(many) => {
                self.newest += many;
                changes.appended = Some(Position(self.newest));
            }
            Happening::Burst(many) => {
                // The burst includes the newest events, and so the selected one.
                let after_gap = self.gaps.last().map_or(1, |gap| gap + 1);
                let after_burst = self.bursts.last().map_or(1, |(_, last)| last + 1);
                let first = (self.newest - 20).max(after_burst).max(after_gap);
                self.newest += many;
                if first < self.newest {
                    self.bursts.push((first, self.newest));
                }
                changes.appended = Some(Position(self.newest));
            }
            Happening::Gap => {
                self.newest += 1;
                self.gaps.insert(self.newest);
                changes.appended = Some(Position(self.newest));
                changes.incidents = vec![gap(self.newest).incident];
            }
            Happening::Remove => {
                self.removed
                    .extend(app.list.selected_event().map(|row| row.position.0));
                changes.everything = true;
            }
            Happening::Touch => {
                let row = app.list.selected_event();
                changes
                    .touched
                    .extend(row.map(|row| (row.position, row.id)));
            }
            Happening::Tick(seconds) => {
                return vec![Message::Tick(now() + SignedDuration::from_secs(seconds))];
            }
        }
        vec![Message::Changed(changes)]
    }
}

/// A change that can happen between two key presses.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Arrive(i64),
    Burst(i64),
    Gap,
    Remove,
    Touch,
    Tick(i64),
}

fn happenings() -> impl Strategy<Value = Vec<(Happening, usize)>> {
    let one = prop_oneof![
        (1..5_i64).prop_map(Happening::Arrive),
        (30..60_i64).prop_map(Happening::Burst),
        Just(Happening::Gap),
        Just(Happening::Remove),
        Just(Happening::Touch),
        (0..9_i64).prop_map(Happening::Tick),
    ];
    prop::collection::vec((one, 0..5_usize), 0..6)
}

/// Returns keys that bring an event onto the screen, and how many of the requests that follow are
/// answered before the first key that acts on the event.
fn ways() -> impl Strategy<Value = (&'static str, usize)> {
    let keys = [
        "",
        "j",
        "j j k",
        "G",
        "g",
        "ctrl-d",
        "/ x enter",
        "/ x enter j",
        "j j z",
        "G k k",
    ];
    (prop::sample::select(keys.to_vec()), 0..9_usize)
}

/// A key that reads an event or acts on it, and the keys that then act on the same event.
const FIRST_AND_THEN: [(&str, &str); 17] = [
    ("y", "i"),
    ("enter", "r"),
    ("enter", "y i"),
    ("w", "r"),
    ("1", "r"),
    ("2", "y i"),
    ("tab", "w"),
    ("6", "o"),
    ("b", "r"),
    ("W", "y i"),
    (";", "N enter"),
    ("o", "r"),
    ("e", "r"),
    ("d", "w"),
    ("x", "esc r"),
    ("enter", "esc r"),
    ("L", "; N enter"),
];

/// Returns the event of an effect.
fn event_of(effect: &Effect) -> Option<EventId> {
    match effect {
        Effect::Replay(ReplayEffect::Replay { id, .. })
        | Effect::Explain(ExplainEffect::Explain { id } | ExplainEffect::FindLink { id })
        | Effect::Notes(NotesEffect::Annotate { id, .. })
        | Effect::OpenEditor(EditorFile { id, .. })
        | Effect::Copy(CopyEffect::Read { id, .. })
        | Effect::Edit(EditEffect::Read { id }) => Some(*id),
        Effect::ToClipboard(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn an_action_takes_the_event_that_was_on_the_screen_at_the_first_key(
        newest in 1..120_i64,
        (way, answered) in ways(),
        pair in 0..FIRST_AND_THEN.len(),
        before in happenings(),
        between in happenings(),
        size in prop::sample::select(vec![(60, 15), (80, 24), (120, 40)]),
    ) {
        let mut past = ChangingHistory::with(newest);
        let mut app = app(size.0, size.1);
        let mut waiting = app.update(Message::Tick(now()));
        let settle = |app: &mut App, past: &ChangingHistory, waiting: &mut Vec<Effect>, most: usize| {
            let mut acted = Vec::new();
            for _ in 0..most {
                if waiting.is_empty() {
                    break;
                }
                let effect = waiting.remove(0);
                acted.push(effect.clone());
                if let Some(answer) = past.answer(effect) {
                    waiting.extend(app.update(Message::Answer(answer)));
                }
            }
            acted
        };
        let press = |app: &mut App, keys: &str| -> Vec<Effect> {
            let keys = keys.split(' ').filter(|key| !key.is_empty());
            let press = |key: &str| Message::Key(key.parse::<KeyPress>().unwrap().into());
            keys.flat_map(|key| app.update(press(key))).collect()
        };
        settle(&mut app, &past, &mut waiting, 1_000);
        waiting.extend(press(&mut app, way));
        settle(&mut app, &past, &mut waiting, answered);
        for (what, most) in before {
            for message in past.happen(what, &app) {
                waiting.extend(app.update(message));
            }
            settle(&mut app, &past, &mut waiting, most);
        }
        let Some(seen) = app.list.selected_event().cloned() else {
            return Ok(());
        };
        let (first, then) = FIRST_AND_THEN[pair];
        // On a burst, this key opens the burst or replays all of it.
        prop_assume!(seen.burst.is_none());
        waiting.extend(press(&mut app, first));
        for (what, most) in between {
            for message in past.happen(what, &app) {
                waiting.extend(app.update(message));
            }
            settle(&mut app, &past, &mut waiting, most);
            frame(&app);
        }
        let effects = press(&mut app, then);
        let acted: Vec<EventId> = effects.iter().filter_map(event_of).collect();
        prop_assert_eq!(acted, vec![seen.id], "{} {} of {}", first, then, seen.position.0);
    }
}
