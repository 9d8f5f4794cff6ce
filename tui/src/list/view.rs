//! The visible rows, nothing else. As the width shrinks columns go in this order: path, duration,
//! the object's last digits; time, type and outcome always stay. Where events have names, these take
//! the place of the path, and without room for both that of the object's id.

use podtap_agent::figures::QuietChain;
use podtap_agent::history::{EventRow, LoopFinding};
use podtap_agent::{LinkState, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::List;
use crate::env::Env;
use crate::figures::chain_in_short;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context};
use crate::layout::inner;
use crate::line::Line;
use crate::names::{EventSummary, Names};
use crate::search::{self, Search};
use crate::theme::Role;
use crate::{words, wrap};

const GUTTER: usize = 4;
const TIME: usize = 8;
/// With the day in front.
const DAY_AND_TIME: usize = 12;
const KIND: usize = 14;
const OBJECT: usize = 18;
/// The narrowest object worth showing.
const ABOUT: usize = 11;
const OUTCOME: usize = 11;
const DURATION: usize = 7;
/// The narrowest path worth showing.
const PATH: usize = 10;
/// The narrowest name worth showing beside the object's id,
const NAME: usize = 28;
/// and in its place, beside the duration.
const SHORT_NAME: usize = 26;

/// What the pane is told beside its own state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListProps<'a> {
    /// The agent's status.
    pub(crate) status: &'a Status,
    /// The filter in force, and the filter line.
    pub(crate) search: &'a Search,
    /// What the events are called.
    pub(crate) names: &'a Names,
    /// Why nothing comes, once that is known.
    pub(crate) chain: Option<&'a QuietChain>,
    /// Events that came since the screen is held still; `None` while it is not.
    pub(crate) held_back: Option<u64>,
    /// The loop to warn of.
    pub(crate) warning: Option<&'a LoopFinding>,
    /// Whether text is being typed.
    pub(crate) is_typing: bool,
    /// Whether the pane has the keys.
    pub(crate) focused: bool,
}

/// Draws the list into `area`.
pub(crate) fn view(
    list: &List,
    props: ListProps<'_>,
    env: Env<'_>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let focused = props.focused;
    let titles = Titles {
        left: left_title(list, props),
        right: right_title(list, props, env, usize::from(inner(area).height)),
        below: warning(props),
    };
    Frame { focused, titles }.draw(area, env.theme, buffer);
    let area = inner(area);
    let height = usize::from(area.height);
    if list.window().is_empty() {
        return empty(list, props, env, area, buffer);
    }
    let first = list.first(height);
    let shown = || list.window().rows().enumerate().skip(first).take(height);
    let times = shown().map(|(_, row)| words::moment(row.received_at, env.now, env.zone));
    let time = match times.map(|time| time.len()).max() {
        Some(..=TIME) | None => TIME,
        Some(_) => DAY_AND_TIME,
    };
    for ((index, row), line) in shown().zip(area.rows()) {
        let is_selected = Some(index) == list.index();
        let sign = signs(list, row, is_selected);
        let room = Room {
            width: usize::from(area.width),
            time,
            names: props.names.any(),
        };
        let columns = columns(row, sign, props.names.of(row), room, env);
        columns.draw(line, env.theme, buffer);
        if is_selected {
            buffer.set_style(line, env.theme.selection(focused));
        }
    }
}

/// The room that a row has, and what for.
#[derive(Debug, Clone, Copy)]
struct Room {
    width: usize,
    /// Cells of a time.
    time: usize,
    /// Whether there are names.
    names: bool,
}

fn columns(
    row: &EventRow,
    sign: String,
    known: Option<&EventSummary>,
    room: Room,
    env: Env<'_>,
) -> Line {
    let Room { width, time, names } = room;
    let (role, outcome) = match &row.burst {
        Some(burst) => words::burst_outcome(burst),
        None => words::outcome(row),
    };
    let mut line = Line::new().column(Role::Accent, sign, GUTTER);
    let mut fixed = GUTTER + KIND + 1 + 1 + OUTCOME;
    // What it is about comes before when it was.
    if width >= fixed + time + 1 + ABOUT {
        let at = words::moment(row.received_at, env.now, env.zone);
        line = line.column(Role::Quiet, at, time + 1);
        fixed += time + 1;
    }
    let rest = width.saturating_sub(fixed);
    let is_broad = rest >= OBJECT + DURATION + 2 + NAME;
    let object = match rest.checked_sub(DURATION) {
        _ if !names || is_broad => rest.min(OBJECT),
        Some(room) if room >= SHORT_NAME => room,
        _ => rest,
    };
    let rest = rest - object;
    line = match &row.event_type {
        Some(kind) => {
            let line = line.column(Role::Plain, kind, KIND).space(1);
            match known.filter(|known| !is_broad && known.has_title()) {
                Some(known) => line.join(known.line(row.revision, object)),
                None => line.column(Role::Plain, about(row, object), object),
            }
        }
        None => line.column(
            Role::Plain,
            format!("{} {}", row.method, row.path),
            KIND + 1 + object,
        ),
    };
    line = line.space(1).column(role, outcome, OUTCOME);
    let Some(rest) = rest.checked_sub(DURATION) else {
        return line;
    };
    let duration = match &row.burst {
        Some(burst) => burst.slowest,
        None => row.last.as_ref().map(|last| last.duration),
    };
    let duration = duration.map(words::duration).unwrap_or_default();
    line = line.column_right(Role::Quiet, duration, DURATION);
    match (rest.checked_sub(2), known) {
        (Some(room), Some(known)) if is_broad => line.space(2).join(known.line(None, room)),
        (Some(room), _) if room >= PATH => line.space(2).column(Role::Quiet, &row.path, room),
        _ => line,
    }
}

/// Whether it is selected, or stands for a burst; and the most important of what else it is.
fn signs(list: &List, row: &EventRow, selected: bool) -> String {
    let first = match (selected, &row.burst) {
        (true, _) => "▶",
        (false, Some(_)) => "▸",
        (false, None) => " ",
    };
    let second = if list.is_marked(row.position) {
        "●"
    } else {
        " "
    };
    let third = if list.is_stray(row.position) {
        "∅"
    } else if row.note.is_some() {
        "✎"
    } else if row.last.as_ref().is_some_and(|last| last.replay) {
        "↻"
    } else if row.burst.is_none() && list.is_opened(row.position) {
        "┊"
    } else {
        " "
    };
    format!("{first}{second}{third}")
}

/// What the event is about, in `room` cells: object and revision, else the hook; of a burst how many
/// it stands for. Where there is no room, the object's kind goes first, which the type mostly says.
fn about(row: &EventRow, room: usize) -> String {
    if let Some(burst) = &row.burst {
        let (many, rate) = (
            words::number(burst.events),
            words::number(burst.per_second()),
        );
        let (many, rate) = (format!("{many} events"), format!(" · {rate}/s"));
        let fits = many.chars().count() + rate.chars().count() <= room;
        return if fits { many + &rate } else { many };
    }
    let about = words::about(row);
    match about.split_once(' ') {
        Some((_, short)) if about.chars().count() > room => short.to_owned(),
        _ => about,
    }
}

/// What a person has to know: hooks that cannot be had, else the loop that was found last.
fn warning(props: ListProps<'_>) -> Line {
    if let Some(failed) = props.status.failed_hooks.first() {
        return Line::of(Role::Failed, format!("✗ {failed}"));
    }
    let Some(found) = props.warning else {
        return Line::new();
    };
    let (many, seconds) = (found.times.len(), found.span().as_secs());
    let objects: Vec<_> = found.objects().iter().map(ToString::to_string).collect();
    let objects = objects.join(" ↔ ");
    if !found.is_suspected() {
        let text = format!("{objects} {many}× in {seconds} s, {}", found.maker);
        return Line::of(Role::Quiet, text);
    }
    let text = format!("⚠ loop? {objects} {many}× in {seconds} s; use hook=false");
    Line::of(Role::Warning, text)
}

fn left_title(list: &List, props: ListProps<'_>) -> Line {
    let mut title = Line::of(Role::Strong, "Events");
    if let marked @ 1.. = list.marked_count() {
        let marked = u64::try_from(marked).unwrap_or(u64::MAX);
        title = title.with(Role::Accent, format!(" ● {}", words::number(marked)));
    }
    if let Some(range) = list.range() {
        title = title.with(Role::Accent, format!(" · range {}", words::number(range)));
    }
    if list.is_only_marked() {
        title = title.with(Role::Accent, " · only marked");
    }
    let text = match list.without_matches() {
        Some(_) => props.search.text_before(),
        None => props.search.text(),
    };
    match text {
        "" => title,
        filter => title.with(Role::Quiet, " · ").with(Role::Accent, filter),
    }
}

fn right_title(list: &List, props: ListProps<'_>, env: Env<'_>, height: usize) -> Line {
    let total = match list.total() {
        Some(total) => words::number(total),
        None => "…".to_owned(),
    };
    let title = Line::new();
    let title = if list.is_searching(height) {
        title
            .with(Role::Waiting, "searching… ")
            .with(Role::Quiet, "· ")
    } else {
        title
    };
    let title = match (props.held_back, list.unseen()) {
        (Some(held_back), _) => {
            let title = title
                .with(Role::Waiting, "‖ paused ")
                .with(Role::Quiet, "· ");
            match held_back {
                0 => title,
                new => title
                    .with(Role::Accent, format!("{} new ", words::number(new)))
                    .with(Role::Quiet, "· "),
            }
        }
        (None, 0) if list.follows() => title.with(Role::Ok, "following ").with(Role::Quiet, "· "),
        (None, 0) => title,
        (None, unseen) => {
            let key = env.keymap.key(Action::Top).map(|key| format!(" ({key})"));
            let key = key.unwrap_or_default();
            title
                .with(
                    Role::Accent,
                    format!("▲ {} new{key} ", words::number(unseen)),
                )
                .with(Role::Quiet, "· ")
        }
    };
    title.with(Role::Quiet, total)
}

/// What stands where there are no rows.
fn empty(list: &List, props: ListProps<'_>, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let lines = match list {
        List {
            failure: Some(failure),
            ..
        } => vec![
            Line::of(Role::Failed, "The history cannot be read"),
            Line::of(Role::Plain, failure),
        ],
        list if list.is_loading() && list.shows_all() => vec![Line::of(Role::Quiet, "Loading…")],
        list if list.is_loading() => vec![Line::of(Role::Quiet, "Searching…")],
        list if !list.shows_all() => {
            let says = [(Action::Back, "shows all events again")];
            let says = env.keymap.hints(Context::List, &says);
            let mut lines = vec![Line::of(Role::Plain, "No event passes the filter.")];
            let unknown = search::unknown(list.filter());
            lines.extend(unknown.map(|unknown| Line::of(Role::Warning, unknown)));
            // While it is typed the key leads back to the filter before, as the line says.
            if !props.is_typing {
                lines.extend([Line::new(), Line::of(Role::Quiet, says)]);
            }
            lines
        }
        _ => waiting(props, env, usize::from(area.width)),
    };
    let width = usize::from(area.width);
    let lines = lines.into_iter().flat_map(|line| wrap::rows(line, width));
    for ((indent, line), row) in lines.zip(area.rows()) {
        Line::new()
            .space(indent)
            .join(line)
            .draw(row, env.theme, buffer);
    }
}

fn waiting(props: ListProps<'_>, env: Env<'_>, width: usize) -> Vec<Line> {
    let status = props.status;
    let trigger = env.keymap.key(Action::Trigger);
    let trigger = trigger.filter(|_| status.target.is_some());
    let trigger = trigger.map(|key| Line::of(Role::Accent, key.to_string()));
    if status.link == LinkState::Off {
        let sends = |key: Line| key.with(Role::Quiet, "  sends an event to the local service");
        let empty = Line::of(Role::Plain, "The history is empty.");
        return [empty].into_iter().chain(trigger.map(sends)).collect();
    }
    let mut lines = vec![Line::of(Role::Plain, "Waiting for the first webhook.")];
    if let Some(url) = words::hook_url(status) {
        let copies = env.keymap.key_in(Context::Browse, Action::Copy);
        let copies = copies
            .map(|key| format!("  ({key} u copies it)"))
            .unwrap_or_default();
        // On a line of its own it can be dragged out of the terminal whole.
        let give = if words::is_local(&url) {
            "On this machine only, Podio cannot call it; `--relay URL` takes a relay that it can"
        } else {
            "Give Podio"
        };
        lines.push(Line::of(Role::Quiet, give).with(Role::Quiet, copies));
        lines.push(Line::of(Role::Accent, words::shortened(&url, width)));
    }
    if let Some(chain) = props.chain {
        lines.push(Line::new());
        lines.extend(chain_in_short(chain));
    }
    lines.push(Line::new());
    lines.push(match trigger {
        Some(key) => Line::of(Role::Quiet, "Or press ")
            .join(key)
            .with(Role::Quiet, ", and send one yourself"),
        None => Line::of(Role::Quiet, "Or try ").with(Role::Plain, "podtap trigger item.create"),
    });
    lines
}

#[cfg(test)]
mod tests {
    use podtap_podio::{ObjectKind, ObjectRef};

    use super::*;
    use crate::testing::row;

    #[test]
    fn an_id_of_ten_digits_keeps_its_revision_where_there_is_little_room() {
        let object = Some(ObjectRef {
            kind: ObjectKind::Item,
            id: 3_276_908_609,
        });
        let row = EventRow {
            object,
            revision: Some(4),
            ..row(1)
        };
        assert_eq!(about(&row, 18), "item 3276908609 r4");
        assert_eq!(about(&row, 16), "3276908609 r4");
    }
}
