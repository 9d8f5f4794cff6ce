//! Draws the visible rows and the titles of the pane, or a text if there are no rows.

use podtap_agent::figures::QuietChain;
use podtap_agent::history::LoopFinding;
use podtap_agent::{LinkState, Status};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::List;
use super::row::{self, RowRoom};
use crate::env::Env;
use crate::figures::chain_in_short;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context};
use crate::layout::inner;
use crate::line::Line;
use crate::names::Names;
use crate::search::Search;
use crate::theme::Role;
use crate::{words, wrap};

/// What the view shows in addition to the state of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListProps<'a> {
    /// The agent's status.
    pub(crate) status: &'a Status,
    /// The current filter, and the filter line.
    pub(crate) search: &'a Search,
    /// The names of the events.
    pub(crate) names: &'a Names,
    /// The reason why no events arrive, once it is known.
    pub(crate) chain: Option<&'a QuietChain>,
    /// The number of events that arrived since the screen was paused; `None` if it is not paused.
    pub(crate) held_back: Option<u64>,
    /// The loop to warn about.
    pub(crate) warning: Option<&'a LoopFinding>,
    /// Whether a person is typing.
    pub(crate) is_typing: bool,
    /// Whether the pane receives the keys.
    pub(crate) focused: bool,
}

/// Draws the list in `area`.
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
    let times = shown().map(|(_, row)| words::moment(row::time(row), env.now, env.zone));
    let time = match times.map(|time| time.len()).max() {
        Some(..=row::TIME) | None => row::TIME,
        Some(_) => row::DAY_AND_TIME,
    };
    for ((index, row), line) in shown().zip(area.rows()) {
        let is_selected = Some(index) == list.index();
        let room = RowRoom {
            width: usize::from(area.width),
            time,
            names: props.names.any(),
        };
        let columns = row::line(row, list, is_selected, props.names, room, env);
        columns.draw(line, env.theme, buffer);
        if is_selected {
            buffer.set_style(line, env.theme.selection(focused));
        }
    }
}

/// Returns the most important warning: a hook that could not be created,
/// otherwise the loop that was found last.
fn warning(props: ListProps<'_>) -> Line {
    if let Some(failed) = props.status.failed_hooks.first() {
        return Line::of(Role::Failed, format!("✗ {failed}"));
    }
    let Some(found) = props.warning else {
        return Line::new();
    };
    let pace = found.pace();
    let objects: Vec<_> = found.objects().iter().map(ToString::to_string).collect();
    let objects = objects.join(" ↔ ");
    if !found.is_suspected() {
        let text = format!("{objects} {pace}, {}", found.maker);
        return Line::of(Role::Quiet, text);
    }
    let text = format!("⚠ loop? {objects} {pace}; use hook=false");
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
    let title = match (props.held_back, list.unseen_count()) {
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

/// Draws the text that replaces an empty list.
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
            let mut lines = vec![Line::of(Role::Plain, "No event matches the filter.")];
            let unknown = list.filter().unknown_name();
            lines.extend(unknown.map(|name| Line::of(Role::Warning, name.to_string())));
            // While the filter is typed, the key restores the former
            // filter, as the filter line says.
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
        // On a line of its own, the whole URL can be selected in the terminal.
        let give = if words::is_local(&url) {
            "On this machine only: Podio cannot call it. `--relay URL` uses a relay that it can \
             call"
        } else {
            "Give Podio"
        };
        lines.push(Line::of(Role::Quiet, give).with(Role::Quiet, copies));
        lines.push(Line::of(Role::Accent, words::shorten_url(&url, width)));
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
