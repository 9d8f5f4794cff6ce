//! Draws the bottom of the screen: the keys that do something in the current state, printed from
//! the keymap, and above them the notices.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::detail::Detail;
use crate::env::Env;
use crate::keymap::{Action, Binding, Context, KeyPress, Keymap};
use crate::layout::Pane;
use crate::line::{Line, cells};
use crate::list::List;
use crate::modal::FeatureForm;
use crate::paragraph;
use crate::theme::Role;
use crate::toast::Toasts;
use crate::widget::form::Form;

/// The state that decides which keys are offered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Footer<'a> {
    /// The contexts whose keys are active now, the innermost first.
    pub(crate) contexts: &'a [Context],
    /// The pane that receives the keys; `None` while a window receives them.
    pub(crate) focus: Option<Pane>,
    /// The list of events.
    pub(crate) list: &'a List,
    /// The open event.
    pub(crate) detail: &'a Detail,
    /// Whether events are being replayed or imported.
    pub(crate) can_stop: bool,
    /// Whether typed characters are text and not commands.
    pub(crate) is_typing: bool,
    /// The form that receives the keys.
    pub(crate) form: Option<&'a Form<FeatureForm>>,
}

/// Cells between two hints.
const GAP: usize = 2;

/// Draws the keys in the row `area`.
pub(crate) fn view(footer: Footer<'_>, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let area = inside(area);
    let hints = footer.hints(env.keymap, area.width.into()).into_iter();
    let keys = hints.map(|(_, hint)| hint).fold(Line::new(), Line::join);
    keys.draw(area, env.theme, buffer);
}

/// Maximum rows of notices on the screen. The newest notice gets as many as it needs.
const NOTICES: u16 = 4;

/// Draws the notices over the rows above `area`, the newest at the bottom.
pub(crate) fn toasts(toasts: &Toasts, env: Env<'_>, area: Rect, buffer: &mut Buffer) {
    let bottom = area.top().saturating_sub(1);
    let rows = (bottom.saturating_sub(NOTICES)..bottom).rev();
    let room = area.width.saturating_sub(6);
    // Long notices are wrapped and not cut, because the end of an error says what to do about it.
    let lines = toasts.iter().rev().flat_map(|toast| {
        let lines = paragraph::lines(toast.role, &toast.text, usize::from(room.saturating_sub(2)));
        let lines = lines.into_iter().take(usize::from(NOTICES));
        let lines: Vec<_> = lines
            .map(|line| Line::new().space(1).join(line).space(1))
            .collect();
        // The rows of one notice begin in the same column.
        let width = lines.iter().map(Line::width).max().unwrap_or_default();
        lines.into_iter().rev().map(move |line| (line, width))
    });
    for ((line, width), y) in lines.zip(rows) {
        let width = cells(width).min(room);
        let x = area.right().saturating_sub(width + 3);
        let place = Rect {
            x,
            y,
            width,
            height: 1,
        };
        Clear.render(place, buffer);
        line.draw(place, env.theme, buffer);
        buffer.set_style(place, env.theme.selection(true));
    }
}

impl Footer<'_> {
    /// Returns as many hints as fit in a row of `room` cells, from left to right, each
    /// with its key. They are in the order of the keymap's table. The hints for help and
    /// for leaving are always included.
    fn hints(self, keymap: &Keymap, room: usize) -> Vec<(KeyPress, Line)> {
        if let Some(hints) = self.mode(keymap) {
            return hints;
        }
        let labelled = |context: &Context| {
            let bindings = keymap.of(*context);
            bindings.filter(|binding| !binding.label.is_empty() && self.is_usable(keymap, binding))
        };
        let last = |binding: &&Binding| {
            matches!(binding.label, "help" | "quit" | "close" | "leave" | "back")
        };
        let mut all: Vec<&Binding> = self.contexts.iter().flat_map(labelled).collect();
        all.sort_by_key(|binding| self.rank(binding));
        let (closing, others): (Vec<&Binding>, Vec<&Binding>) = all.into_iter().partition(last);
        let hints = |bindings: Vec<&Binding>| {
            let hints = bindings
                .into_iter()
                .filter_map(|binding| self.hint(binding));
            hints.collect::<Vec<_>>()
        };
        let closing = hints(closing);
        let width =
            |hints: &[(KeyPress, Line)]| hints.iter().map(|(_, hint)| hint.width()).sum::<usize>();
        let mut used = width(&closing);
        let mut shown = hints(others);
        shown.retain(|(_, hint)| {
            let fits = used + hint.width() <= room + GAP;
            used += if fits { hint.width() } else { 0 };
            fits
        });
        shown.extend(closing);
        shown
    }

    /// Returns the key whose hint is drawn in this column of the row `area`.
    pub(crate) fn key_at(self, keymap: &Keymap, area: Rect, column: u16) -> Option<KeyPress> {
        let area = inside(area);
        let mut right = area.x;
        let hints = self.hints(keymap, area.width.into()).into_iter();
        let mut ends = hints.map(|(key, hint)| {
            let left = right;
            right = left.saturating_add(cells(hint.width()));
            (left..right.saturating_sub(cells(GAP)), key)
        });
        ends.find_map(|(columns, key)| columns.contains(&column).then_some(key))
    }

    /// Returns the keys of a mode that was begun and not ended, such as a selection.
    fn mode(self, keymap: &Keymap) -> Option<Vec<(KeyPress, Line)>> {
        use Context::{Browse, Detail, List};
        let keys: &[_] = if self.has_focus(Pane::List) && self.list.range().is_some() {
            &[
                (List, Action::MarkRange, "mark"),
                (Browse, Action::Replay, "replay"),
                (List, Action::Back, "leave"),
            ]
        } else if self.has_focus(Pane::Detail) && self.detail.is_selecting() {
            &[
                (Browse, Action::Copy, "copy"),
                (Detail, Action::Down, "more"),
                (Detail, Action::Back, "leave"),
            ]
        } else {
            return None;
        };
        let hint = |(context, action, label): &(Context, Action, &'static str)| {
            let key = keymap.key_in(*context, *action)?;
            Some((key, hint(key, label)))
        };
        Some(keys.iter().filter_map(hint).collect())
    }

    /// Returns the rank of a hint, which comes before the order of the table. The tabs of the open
    /// event come first. The hooks do not belong to an event, so they come after its keys.
    fn rank(self, binding: &Binding) -> u8 {
        match binding.action {
            Action::Stop | Action::Repair => 0,
            Action::NextTab if self.has_focus(Pane::Detail) => 0,
            Action::Hooks => 2,
            _ => 1,
        }
    }

    /// Returns whether the key of the hint starts its action in the current state. A nearer context
    /// may use the key for something else, or there may be nothing to act on.
    fn is_usable(self, keymap: &Keymap, binding: &Binding) -> bool {
        let is_text = |key: &&KeyPress| self.is_typing && key.typed_char().is_some();
        let key = binding.keys.first().filter(|key| !is_text(key));
        let does = key.and_then(|key| keymap.resolve(self.contexts, *key));
        let is_idle = match binding.context {
            Context::List | Context::Browse => self.is_idle(binding.action),
            Context::Typing => {
                binding.action == Action::NextTab && !self.form.is_some_and(Form::is_long)
            }
            _ => false,
        };
        does == Some(binding.action) && !is_idle
    }

    /// Returns whether an action of the panes has nothing to act on.
    fn is_idle(self, action: Action) -> bool {
        use Action as A;
        let empty = self.list.selected_event().is_none() && !self.list.is_loading();
        let is_gap = self.list.selected_gap().is_some();
        let all = self.list.shows_all() && !self.list.is_only_marked();
        match action {
            A::Open => empty && !is_gap,
            A::Repair => !is_gap,
            A::Mark | A::Replay | A::Explain | A::Edit | A::Copy | A::Export | A::NextTab => empty,
            A::Filter => empty && !is_gap && all,
            A::Stop => !self.can_stop,
            A::Back => all && self.has_focus(Pane::List),
            _ => false,
        }
    }

    fn has_focus(self, pane: Pane) -> bool {
        self.focus == Some(pane)
    }

    fn hint(self, binding: &Binding) -> Option<(KeyPress, Line)> {
        let key = *binding.keys.first()?;
        let label = match (self.form, binding.action) {
            (Some(form), Action::Open) => form.verb(),
            _ => binding.label,
        };
        Some((key, hint(key, label)))
    }
}

/// Returns a key and what it does, as a line.
fn hint(key: KeyPress, label: &str) -> Line {
    Line::of(Role::Accent, key.to_string())
        .space(1)
        .with(Role::Quiet, label)
        .space(GAP)
}

/// Returns the row without its first and last cell.
fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x + 1,
        width: area.width.saturating_sub(2),
        ..area
    }
}

#[cfg(test)]
mod tests {
    use crate::message::Message;
    use crate::testing::{app, frame, now, press, settle, text};

    fn footer(keys: &str, events: i64) -> String {
        let mut app = app(80, 24);
        settle(&mut app, Message::Tick(now()), events);
        if !keys.is_empty() {
            press(&mut app, keys, events);
        }
        let frame = text(&frame(&app));
        frame.lines().last().unwrap_or_default().to_owned()
    }

    #[test]
    fn an_empty_history_offers_what_can_be_done_without_an_event() {
        let offered = footer("", 0);
        assert!(offered.contains("t trigger"), "{offered}");
        assert!(!offered.contains("replay"), "{offered}");
    }

    #[test]
    fn a_filter_in_force_offers_the_way_back_to_all_events() {
        assert!(footer("/ x enter", 500).contains("esc show all"));
        assert!(!footer("", 500).contains("esc show all"));
    }

    #[test]
    fn a_form_offers_what_it_does() {
        let offered = footer("x", 500);
        assert!(offered.contains("enter export"), "{offered}");
        assert!(offered.contains("tab next field"), "{offered}");
        assert!(!footer(";", 500).contains("tab"));
    }

    #[test]
    fn the_open_event_offers_its_tabs_first() {
        assert!(footer("enter", 500).starts_with(" tab next tab"));
    }
}
