//! The visible rows, nothing else. As the width shrinks columns go in this order: path, duration,
//! the object's last digits; time, type and outcome always stay.

use podtap_agent::LinkState;
use podtap_agent::history::EventRow;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::List;
use crate::app::App;
use crate::frame::{Frame, Titles};
use crate::header::shortened;
use crate::keymap::{Action, Context};
use crate::layout::inner;
use crate::line::Line;
use crate::search;
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

/// Draws the list into `area`.
pub(crate) fn view(app: &App, area: Rect, focused: bool, buffer: &mut Buffer) {
    let list = &app.list;
    let titles = Titles {
        left: left_title(app),
        right: right_title(app, usize::from(inner(area).height)),
        below: warning(app),
    };
    Frame { focused, titles }.draw(area, app.theme(), buffer);
    let area = inner(area);
    let height = usize::from(area.height);
    if list.window().is_empty() {
        return empty(app, area, buffer);
    }
    let first = list.first(height);
    let shown = || list.window().rows().enumerate().skip(first).take(height);
    let times = shown().map(|(_, row)| words::moment(row.received_at, app.now(), app.zone()));
    let time = match times.map(|time| time.len()).max() {
        Some(..=TIME) | None => TIME,
        Some(_) => DAY_AND_TIME,
    };
    for ((index, row), line) in shown().zip(area.rows()) {
        let is_selected = Some(index) == list.index();
        columns(app, row, is_selected, time, usize::from(area.width)).draw(
            line,
            app.theme(),
            buffer,
        );
        if is_selected {
            buffer.set_style(line, app.theme().selection(focused));
        }
    }
}

fn columns(app: &App, row: &EventRow, selected: bool, time: usize, width: usize) -> Line {
    let (now, zone) = (app.now(), app.zone());
    let (role, outcome) = match &row.burst {
        Some(burst) => words::burst_outcome(burst),
        None => words::outcome(row),
    };
    let sign = signs(app, row, selected);
    let mut line = Line::new().column(Role::Accent, sign, GUTTER);
    let mut fixed = GUTTER + KIND + 1 + 1 + OUTCOME;
    // What it is about comes before when it was.
    if width >= fixed + time + 1 + ABOUT {
        let at = words::moment(row.received_at, now, zone);
        line = line.column(Role::Quiet, at, time + 1);
        fixed += time + 1;
    }
    let rest = width.saturating_sub(fixed);
    let (object, rest) = (rest.min(OBJECT), rest.saturating_sub(OBJECT));
    line = match &row.event_type {
        Some(kind) => line.column(Role::Plain, kind, KIND).space(1).column(
            Role::Plain,
            about(row, object),
            object,
        ),
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
    match rest.checked_sub(2) {
        Some(path) if path >= PATH => line.space(2).column(Role::Quiet, &row.path, path),
        _ => line,
    }
}

/// Whether it is selected, or stands for a burst; and the most important of what else it is.
fn signs(app: &App, row: &EventRow, selected: bool) -> String {
    let first = match (selected, &row.burst) {
        (true, _) => "▶",
        (false, Some(_)) => "▸",
        (false, None) => " ",
    };
    let second = if app.list.is_marked(row.position) {
        "●"
    } else {
        " "
    };
    let third = if app.list.is_stray(row.position) {
        "∅"
    } else if row.note.is_some() {
        "✎"
    } else if row.last.as_ref().is_some_and(|last| last.replay) {
        "↻"
    } else if row.burst.is_none() && app.list.is_opened(row.position) {
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
fn warning(app: &App) -> Line {
    if let Some(failed) = app.status().failed_hooks.first() {
        return Line::of(Role::Failed, format!("✗ {failed}"));
    }
    let Some(found) = app.warning() else {
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

fn left_title(app: &App) -> Line {
    let mut title = Line::of(Role::Strong, "Events");
    if let marked @ 1.. = app.list.marked_count() {
        let marked = u64::try_from(marked).unwrap_or(u64::MAX);
        title = title.put(Role::Accent, format!(" ● {}", words::number(marked)));
    }
    if let Some(range) = app.list.range() {
        title = title.put(Role::Accent, format!(" · range {}", words::number(range)));
    }
    if app.shows_only_marked() {
        title = title.put(Role::Accent, " · only marked");
    }
    let text = match app.list.barren() {
        Some(_) => app.search.text_before(),
        None => app.search.text(),
    };
    match text {
        "" => title,
        filter => title.put(Role::Quiet, " · ").put(Role::Accent, filter),
    }
}

fn right_title(app: &App, height: usize) -> Line {
    let list = &app.list;
    let total = match list.total {
        Some(total) => words::number(total),
        None => "…".to_owned(),
    };
    let title = Line::new();
    let title = if list.is_searching(height) {
        title
            .put(Role::Waiting, "searching… ")
            .put(Role::Quiet, "· ")
    } else {
        title
    };
    let title = match list.unseen() {
        _ if app.is_paused() => {
            let title = title.put(Role::Waiting, "‖ paused ").put(Role::Quiet, "· ");
            match app.held_back() {
                0 => title,
                new => title
                    .put(Role::Accent, format!("{} new ", words::number(new)))
                    .put(Role::Quiet, "· "),
            }
        }
        0 if list.follows() => title.put(Role::Ok, "following ").put(Role::Quiet, "· "),
        0 => title,
        unseen => {
            let key = app.keymap().key(Action::Top).map(|key| format!(" ({key})"));
            let key = key.unwrap_or_default();
            title
                .put(
                    Role::Accent,
                    format!("▲ {} new{key} ", words::number(unseen)),
                )
                .put(Role::Quiet, "· ")
        }
    };
    title.put(Role::Quiet, total)
}

/// What stands where there are no rows.
fn empty(app: &App, area: Rect, buffer: &mut Buffer) {
    let lines = match &app.list {
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
            let says = app.keymap().says(Context::List, &says);
            let mut lines = vec![Line::of(Role::Plain, "No event passes the filter.")];
            let unknown = search::unknown(list.filter());
            lines.extend(unknown.map(|unknown| Line::of(Role::Warning, unknown)));
            // While it is typed the key leads back to the filter before, as the line says.
            if !app.is_typing() {
                lines.extend([Line::new(), Line::of(Role::Quiet, says)]);
            }
            lines
        }
        _ => waiting(app, usize::from(area.width)),
    };
    let width = usize::from(area.width);
    let lines = lines.into_iter().flat_map(|line| wrap::rows(line, width));
    for ((_, line), row) in lines.zip(area.rows()) {
        line.draw(row, app.theme(), buffer);
    }
}

fn waiting(app: &App, width: usize) -> Vec<Line> {
    let trigger = app.keymap().key(Action::Trigger);
    let trigger = trigger.filter(|_| app.status().target.is_some());
    let trigger = trigger.map(|key| Line::of(Role::Accent, key.to_string()));
    if app.status().link == LinkState::Off {
        let sends = |key: Line| key.put(Role::Quiet, "  sends an event to the local service");
        let empty = Line::of(Role::Plain, "The history is empty.");
        return [empty].into_iter().chain(trigger.map(sends)).collect();
    }
    let mut lines = vec![
        Line::of(Role::Plain, "Waiting for the first webhook."),
        Line::new(),
    ];
    for failed in &app.status().failed_hooks {
        lines.push(Line::of(Role::Failed, format!("✗ {failed}")));
    }
    if let Some(url) = words::hook_url(app.status()) {
        let copies = app.keymap().key_in(Context::Browse, Action::Copy);
        let copies = copies
            .map(|key| format!("  ({key} u copies it)"))
            .unwrap_or_default();
        // On a line of its own it can be dragged out of the terminal whole.
        let give = if words::is_local(&url) {
            "On this machine only, Podio cannot call it; `--relay URL` takes a relay that it can"
        } else {
            "Give Podio"
        };
        lines.push(Line::of(Role::Quiet, give).put(Role::Quiet, copies));
        lines.push(Line::of(Role::Accent, shortened(&url, width)));
        lines.push(Line::new());
    }
    lines.push(match trigger {
        Some(key) => Line::of(Role::Quiet, "Or press ")
            .join(key)
            .put(Role::Quiet, ", and send one yourself"),
        None => Line::of(Role::Quiet, "Or try ").put(Role::Plain, "podtap trigger item.create"),
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
