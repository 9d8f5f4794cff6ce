//! All state, and `update`: what happened → new state and what the shell shall do. Routing only;
//! each pane decides for itself. Nothing here waits, draws or asks for the time.

use std::time::Duration;

use crossterm::event::MouseEvent;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use podtap_agent::history::{Attempt, Filter, Outcome};
use podtap_agent::{EventId, LinkState, Status};
use ratatui::layout::{Position, Rect, Size};

use crate::config::Config;
use crate::detail::Detail;
use crate::effect::Effect;
use crate::keymap::{Action, Context, Key, Keymap};
use crate::layout::Layout;
use crate::list::List;
use crate::message::{Answer, Changes, Message};
use crate::modal::Modal;
use crate::modal::help::Help;
use crate::mouse::{self, Gesture};
use crate::rate::Rate;
use crate::search::Search;
use crate::theme::{Role, Theme};
use crate::toast::Toasts;
use crate::words;

/// The list's part of what it shares with the detail at first, in per cent.
const SHARE: u16 = 55;

/// Lines that a notch of the wheel moves.
const WHEEL_LINES: usize = 3;

/// A pane that can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Pane {
    /// The list of events.
    #[default]
    List,
    /// The open event.
    Detail,
}

/// The whole state of the UI.
#[derive(Debug, Clone)]
pub(crate) struct App {
    config: Config,
    size: Size,
    now: Timestamp,
    status: Status,
    focus: Pane,
    modals: Vec<Modal>,
    /// The list's part of what it shares with the detail, in per cent.
    share: u16,
    /// Whether the border between the panes is held by the mouse.
    dragging: bool,
    over: bool,
    /// The list of events.
    pub(crate) list: List,
    /// The open event.
    pub(crate) detail: Detail,
    /// How much arrives.
    pub(crate) rate: Rate,
    /// The filter and the line in which it is typed.
    pub(crate) search: Search,
    /// Notices.
    pub(crate) toasts: Toasts,
    /// What changed since the screen is held still; `None` while it is not.
    held: Option<Changes>,
}

impl App {
    /// The state at the start.
    pub(crate) fn new(config: Config, size: Size, now: Timestamp, status: Status) -> Self {
        Self {
            config,
            size,
            now,
            status,
            focus: Pane::default(),
            modals: Vec::new(),
            share: SHARE,
            dragging: false,
            over: false,
            list: List::default(),
            detail: Detail::default(),
            rate: Rate::default(),
            search: Search::default(),
            toasts: Toasts::default(),
            held: None,
        }
    }

    /// Takes what happened and says what shall be done. After [`Effect::Quit`] nothing more is.
    pub(crate) fn update(&mut self, message: Message) -> Vec<Effect> {
        if self.over {
            return Vec::new();
        }
        let mut effects = Vec::new();
        let changed = match message {
            Message::Key(event) => self.key(event.into(), &mut effects),
            Message::Mouse(event) => self.mouse(event),
            Message::Paste(text) => self.paste(&text),
            Message::Resize(size) => std::mem::replace(&mut self.size, size) != size,
            Message::Tick(now) => self.tick(now),
            Message::Status(status) => std::mem::replace(&mut self.status, *status) != self.status,
            Message::Changed(changes) => self.changed(&changes),
            Message::Answer(answer) => self.answer(answer),
        };
        if self.over {
            return effects;
        }
        self.ask(&mut effects);
        if changed {
            effects.push(Effect::Draw);
        }
        effects
    }

    /// Where everything is; `None` on a screen that is too small.
    pub(crate) fn layout(&self) -> Option<Layout> {
        self.layout_on(self.size)
    }

    /// Where everything is on a screen of this size.
    pub(crate) fn layout_on(&self, size: Size) -> Option<Layout> {
        Layout::of(size, self.focus, self.share)
    }

    /// The whole screen.
    pub(crate) fn screen(&self) -> Rect {
        Rect::new(0, 0, self.size.width, self.size.height)
    }

    /// The places whose keys count now, the nearest first.
    pub(crate) fn contexts(&self) -> Vec<Context> {
        match (self.modals.last(), self.focus) {
            _ if self.search.is_open() => vec![Context::Typing, Context::Global],
            (Some(_), _) => vec![Context::Modal, Context::Global],
            (None, Pane::List) => vec![Context::List, Context::Browse, Context::Global],
            (None, Pane::Detail) => vec![Context::Detail, Context::Browse, Context::Global],
        }
    }

    /// Whether keys go to `pane`.
    pub(crate) fn has_focus(&self, pane: Pane) -> bool {
        self.modals.is_empty() && self.focus == pane
    }

    /// The open windows, the lowest first.
    pub(crate) fn modals(&self) -> &[Modal] {
        &self.modals
    }

    /// Whether the screen is held still.
    pub(crate) fn is_paused(&self) -> bool {
        self.held.is_some()
    }

    /// The colours.
    pub(crate) fn theme(&self) -> Theme {
        self.config.theme
    }

    /// The keys.
    pub(crate) fn keymap(&self) -> &Keymap {
        &self.config.keymap
    }

    /// The zone of every time on the screen.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.config.zone
    }

    /// How late it was at the last tick.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The agent's status.
    pub(crate) fn status(&self) -> &Status {
        &self.status
    }

    fn key(&mut self, key: Key, effects: &mut Vec<Effect>) -> bool {
        let resolve = || self.config.keymap.resolve(&self.contexts(), key);
        // A character that is being typed is no command, whatever it does elsewhere.
        let typed = self.search.is_open() && key.typed().is_some();
        let action = if typed { None } else { resolve() };
        match action {
            Some(action @ (Action::Quit | Action::Suspend)) => self.act(action, effects),
            action if self.search.is_open() => {
                let filter = self.search.key(key, action, self.now);
                self.set_filter(filter);
            }
            Some(action) => self.act(action, effects),
            None => return false,
        }
        true
    }

    fn paste(&mut self, text: &str) -> bool {
        let filter = self.search.paste(text, self.now);
        self.set_filter(filter);
        self.search.is_open()
    }

    fn set_filter(&mut self, filter: Option<Filter>) {
        if let Some(filter) = filter {
            self.list.set_filter(filter);
        }
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        match action {
            Action::Quit => {
                self.over = true;
                effects.push(Effect::Quit);
            }
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Help if self.modals.is_empty() => {
                self.modals.push(Modal::Help(Help::new(self.contexts())));
            }
            Action::Back => self.back(),
            Action::Open => self.focus = Pane::Detail,
            Action::Replay => self.replay(effects),
            Action::Filter => self.search.open(),
            Action::Pause => self.pause(),
            _ => self.move_within(action),
        }
    }

    fn mouse(&mut self, event: MouseEvent) -> bool {
        let Some(layout) = self.layout() else {
            return false;
        };
        let Some(gesture) = mouse::gesture(&layout, event, self.dragging) else {
            return false;
        };
        if let (Some(Modal::Help(help)), Gesture::Scroll { down, .. }) =
            (self.modals.last_mut(), gesture)
        {
            let action = if down { Action::Down } else { Action::Up };
            help.act(
                action,
                &self.config.keymap,
                Rect::from((Position::ORIGIN, self.size)),
            );
            return true;
        }
        if !self.modals.is_empty() {
            return false;
        }
        match gesture {
            Gesture::Row(line) => {
                self.focus = Pane::List;
                self.list.select_line(line, layout.list_height());
            }
            Gesture::Tab(tab) => self.detail.open_tab(tab),
            Gesture::Focus(pane) => self.focus = pane,
            Gesture::Scroll { pane, down } => self.scroll(pane, down, &layout),
            Gesture::Grab => self.dragging = true,
            Gesture::Share(share) => self.share = share,
            Gesture::Release => self.dragging = false,
        }
        true
    }

    fn scroll(&mut self, pane: Pane, down: bool, layout: &Layout) {
        let action = if down { Action::Down } else { Action::Up };
        for _ in 0..WHEEL_LINES {
            match pane {
                Pane::List => self.list.act(action, layout.list_height()),
                Pane::Detail => self.detail.act(action, layout.sheet().height.into()),
            }
        }
    }

    fn move_within(&mut self, action: Action) {
        let Some(layout) = self.layout() else { return };
        let screen = self.screen();
        match (self.modals.last_mut(), self.focus) {
            (Some(Modal::Help(help)), _) => help.act(action, &self.config.keymap, screen),
            (None, _) if self.detail.turn(action) => {}
            (None, Pane::List) => self.list.act(action, layout.list_height()),
            (None, Pane::Detail) => self.detail.act(action, layout.sheet().height.into()),
        }
    }

    fn back(&mut self) {
        if self.modals.pop().is_some() {
            return;
        }
        if self.focus == Pane::List && self.search.clear() {
            self.list.set_filter(Filter::default());
        }
        self.focus = Pane::List;
    }

    /// Holds the screen still, or lets it go on with all that has changed since.
    fn pause(&mut self) {
        match self.held.take() {
            Some(held) => {
                self.list.changed(&held);
                self.detail.changed(&held);
            }
            None => self.held = Some(Changes::default()),
        }
    }

    fn replay(&mut self, effects: &mut Vec<Effect>) {
        if let Some(id) = self.list.selected().map(|row| row.id) {
            effects.push(Effect::Replay { id });
        }
    }

    fn tick(&mut self, now: Timestamp) -> bool {
        self.now = now;
        self.list.tick();
        self.detail.tick();
        let rate = self.rate.tick(now);
        let toasts = self.toasts.tick(now);
        rate || toasts || matches!(self.status.link, LinkState::Connecting { .. })
    }

    fn changed(&mut self, changes: &Changes) -> bool {
        if let Some(through) = changes.appended {
            self.rate.newest(through, self.now);
        }
        if let Some(held) = &mut self.held {
            held.join(changes);
        } else {
            self.list.changed(changes);
            self.detail.changed(changes);
        }
        for gap in &changes.gaps {
            self.toasts.show(Role::Failed, gap, self.now);
        }
        // What the history then says is what is drawn.
        changes.appended.is_some() || !changes.gaps.is_empty()
    }

    fn answer(&mut self, answer: Answer) -> bool {
        match answer {
            Answer::Page { generation, result } => {
                self.list.page(generation, result);
                let window = self.list.window();
                let arrivals = window.rows().map(|row| row.received_at);
                self.rate.start(window.newest(), arrivals, self.now);
                if let Some(newest) = window.newest() {
                    self.rate.newest(newest, self.now);
                }
            }
            Answer::Count { result } => self.list.count(&result),
            Answer::Event { generation, result } => self.detail.event(generation, result),
            Answer::Replayed { id, result } => self.replayed(id, result),
        }
        true
    }

    fn replayed(&mut self, id: EventId, result: Result<Box<Attempt>, String>) {
        let took = |duration: Duration| words::duration(duration);
        let (role, text) = match result.map(|attempt| (attempt.outcome, attempt.duration)) {
            Ok((Outcome::Answered { status, .. }, duration)) => {
                let (role, status) = words::status_outcome(status);
                (
                    role,
                    format!("Replayed {}: {status} in {}", short(id), took(duration)),
                )
            }
            Ok((Outcome::Failed { error }, _)) => {
                (Role::Failed, format!("Replayed {}: ✗ {error}", short(id)))
            }
            Err(error) => (
                Role::Failed,
                format!("Cannot replay {}: {error}", short(id)),
            ),
        };
        self.toasts.show(role, text, self.now);
    }

    /// What the panes want to know now.
    fn ask(&mut self, effects: &mut Vec<Effect>) {
        let Some(layout) = self.layout() else { return };
        effects.extend(self.list.ask(layout.list_height()));
        let selected = self.list.selected().map(|row| row.id);
        effects.extend(self.detail.ask(selected, layout.sheet().width.into()));
    }
}

/// An id short enough to talk about: its last characters, which commands accept too.
pub(crate) fn short(id: EventId) -> String {
    let id = id.to_string();
    let tail: Vec<char> = id.chars().rev().take(4).collect();
    let head: String = id.chars().take(4).collect();
    format!("{head}…{}", tail.iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use podtap_agent::history::Position;

    use super::*;
    use crate::testing::{app, attempts, id, now, press, settle, status};

    fn settled() -> App {
        let mut app = app(100, 30);
        settle(&mut app, Message::Tick(now()), 500);
        app
    }

    fn key(text: &str) -> Message {
        Message::Key(text.parse::<Key>().unwrap().into())
    }

    #[test]
    fn the_clock_alone_is_no_reason_to_draw() {
        let mut app = settled();
        for second in 1..120 {
            let later = now() + SignedDuration::from_secs(second);
            assert_eq!(app.update(Message::Tick(later)), []);
        }
    }

    #[test]
    fn a_status_that_is_the_same_is_no_reason_to_draw() {
        let mut app = settled();
        assert_eq!(app.update(Message::Status(Box::new(status()))), []);
        let other = Status {
            pending: 3,
            ..status()
        };
        assert_eq!(app.update(Message::Status(Box::new(other))), [Effect::Draw]);
    }

    #[test]
    fn replay_sends_the_selected_event_and_tells_what_came_of_it() {
        let mut app = settled();
        let effects = app.update(key("r"));
        assert_eq!(effects, [Effect::Replay { id: id(500) }, Effect::Draw]);

        let attempt = Box::new(attempts(500).remove(1));
        let answer = Answer::Replayed {
            id: id(500),
            result: Ok(attempt),
        };
        app.update(Message::Answer(answer));
        let toasts: Vec<&str> = app.toasts.iter().map(|toast| toast.text.as_str()).collect();
        assert_eq!(
            toasts,
            [format!("Replayed {}: ✓ 200 in 38 ms", short(id(500)))]
        );
    }

    #[test]
    fn quit_ends_the_list_and_steps_back_elsewhere() {
        for (before, quits) in [
            ("j", true),
            ("enter", false),
            ("?", false),
            ("enter ?", false),
        ] {
            let mut app = settled();
            press(&mut app, before, 500);
            assert_eq!(
                app.update(key("q")).contains(&Effect::Quit),
                quits,
                "{before}"
            );
        }
    }

    #[test]
    fn while_a_filter_is_typed_characters_are_no_commands() {
        let mut app = settled();
        press(&mut app, "/ q ? r j", 500);
        assert!(app.search.is_open());
        assert_eq!(app.search.text(), "q?rj");
        assert_eq!(app.update(key("ctrl-c")), [Effect::Quit]);
    }

    #[test]
    fn a_held_screen_catches_up_when_it_is_let_go() {
        let mut app = settled();
        press(&mut app, "space", 500);
        let appended = Some(Position(510));
        settle(
            &mut app,
            Message::Changed(Changes {
                appended,
                ..Changes::default()
            }),
            510,
        );
        let selected = |app: &App| app.list.selected().map(|row| row.position);
        assert_eq!(selected(&app), Some(Position(500)));
        press(&mut app, "space", 510);
        assert_eq!(selected(&app), Some(Position(510)));
    }
}
