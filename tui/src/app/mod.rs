//! All state, and `update`: what happened → new state and what the shell shall do. Routing only;
//! each pane decides for itself. Nothing here waits, draws or asks for the time.

mod act;
mod answer;
mod archive;
mod click;
mod copy;
mod fill;
mod health;
mod hooks;
mod mark;
mod only;
mod replay;
mod select;
mod shown;
mod tables;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use podtap_agent::history::{Filter, LoopFinding, Position};
use podtap_agent::{EventId, LinkState, Status};
use ratatui::layout::Size;

use crate::batch::Batch;
use crate::changes::Changes;
use crate::config::Config;
use crate::detail::Detail;
use crate::effect::Effect;
use crate::explain::Explain;
use crate::figures;
use crate::generation::Generation;
use crate::health::Health;
use crate::keymap::{Action, Context, Keymap};
use crate::layout::{Layout, Pane};
use crate::line::Line;
use crate::list::List;
use crate::message::Message;
use crate::modal::{Modal, Purpose, hooks_pane};
use crate::names::Names;
use crate::rate::Rate;
use crate::search::Search;
use crate::theme::Role;
use crate::toast::Toasts;
use crate::trigger::LastSent;
use crate::widget::form::Form;
use click::Clicks;

/// The list's part of what it shares with the detail at first, in per cent.
const SHARE: u16 = 58;

/// How long a loop is told after it was found.
const WARN_FOR: SignedDuration = SignedDuration::from_mins(2);

/// Which panes are on a screen that has room for both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Zoom {
    /// Both of them.
    #[default]
    Both,
    /// The one that has the keys.
    One,
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
    /// A question that came up by itself: it is asked once nothing else has the keys.
    waiting: Option<Modal>,
    /// The list's part of what it shares with the detail, in per cent.
    share: u16,
    zoom: Zoom,
    /// Whether the border between the panes is held by the mouse.
    dragging: bool,
    /// Where the mouse's button went down last.
    clicks: Clicks,
    over: bool,
    /// What the shell is to do because of this update.
    effects: Vec<Effect>,
    /// The list of events.
    pub(crate) list: List,
    /// The open event.
    pub(crate) detail: Detail,
    /// What the events in sight are called.
    pub(crate) names: Names,
    /// What the agent knows beside its status.
    pub(crate) figures: figures::FiguresPoller,
    /// How much arrives.
    pub(crate) rate: Rate,
    /// The filter and the line in which it is typed.
    pub(crate) search: Search,
    /// Notices.
    pub(crate) toasts: Toasts,
    /// Replays of many events, while there are any.
    pub(crate) batch: Option<Batch>,
    /// What is remembered for the health window.
    pub(crate) health: Health,
    /// What the filter wants.
    wanted: Filter,
    /// Whether only marked events are shown, of those that the filter wants.
    only_marked: bool,
    /// The loop that was found last, and until when it is told.
    warning: Option<(LoopFinding, Timestamp)>,
    /// What changed since the screen is held still, and the newest event then; `None` while it is
    /// not.
    held: Option<(Changes, Option<Position>)>,
    /// The question to Podio.
    explain: Explain,
    /// What the archive is called that is being imported, and how many events were there before.
    importing: Option<(String, u64)>,
    /// The form that was sent last, until it is known whether that could be done.
    sent_form: Option<(Form, Box<Purpose>)>,
    /// What the trigger form was last sent with.
    last_sent: LastSent,
    /// What was asked for once and is done when it is asked for again.
    asks_again: Option<Action>,
    /// The last question for the hooks, of whichever pane.
    hooks_asked: Generation,
}

impl App {
    /// The state at the start.
    pub(crate) fn new(config: Config, size: Size, now: Timestamp, status: Status) -> Self {
        Self {
            search: Search::new(config.filters.clone()),
            health: Health::of(&status.link, now),
            config,
            size,
            now,
            status,
            focus: Pane::default(),
            modals: Vec::new(),
            waiting: None,
            share: SHARE,
            zoom: Zoom::default(),
            dragging: false,
            clicks: Clicks::default(),
            over: false,
            effects: Vec::new(),
            list: List::default(),
            detail: Detail::default(),
            names: Names::default(),
            figures: figures::FiguresPoller::default(),
            rate: Rate::default(),
            toasts: Toasts::default(),
            batch: None,
            wanted: Filter::default(),
            only_marked: false,
            warning: None,
            held: None,
            explain: Explain::default(),
            importing: None,
            sent_form: None,
            last_sent: LastSent::default(),
            asks_again: None,
            hooks_asked: 0,
        }
    }

    /// Takes what happened and says what shall be done. After [`Effect::Quit`] nothing more is.
    pub(crate) fn update(&mut self, message: Message) -> Vec<Effect> {
        if self.over {
            return Vec::new();
        }
        let changed = match message {
            Message::Key(event) => self.key(event.into()),
            Message::Mouse(event) => self.mouse(event),
            Message::Paste(text) => self.paste(&text),
            Message::Resize(size) => std::mem::replace(&mut self.size, size) != size,
            Message::Tick(now) => self.tick(now) | self.look_after_health(),
            Message::Status(status) => {
                self.health.remember(&status.link, self.now);
                std::mem::replace(&mut self.status, *status) != self.status
            }
            Message::Changed(changes) => self.on_change(&changes),
            Message::Answer(answer) => self.on_answer(answer),
        };
        if self.over {
            return std::mem::take(&mut self.effects);
        }
        let changed = self.ask_what_waits() || changed;
        self.ask();
        if changed {
            self.effects.push(Effect::Draw);
        }
        std::mem::take(&mut self.effects)
    }

    /// Has the shell do this once the update has ended: the one way out for what a feature asks.
    fn start<E: Into<Effect>>(&mut self, effects: impl IntoIterator<Item = E>) {
        self.effects.extend(effects.into_iter().map(Into::into));
    }

    /// Shows a notice.
    fn notify(&mut self, (role, text): (Role, impl Into<String>)) {
        self.toasts.show(role, text, self.now);
    }

    /// Where everything is; `None` on a screen that is too small.
    pub(crate) fn layout(&self) -> Option<Layout> {
        self.layout_on(self.size)
    }

    /// Where everything is on a screen of this size.
    pub(crate) fn layout_on(&self, size: Size) -> Option<Layout> {
        Layout::of(size, self.focus, self.shared())
    }

    /// The list's part of what it shares with the detail, unless one of them has all of it: before
    /// the first event there is nothing to be detailed.
    fn shared(&self) -> Option<u16> {
        (self.zoom == Zoom::Both && !self.is_empty()).then_some(self.share)
    }

    /// Whether the history holds no event.
    fn is_empty(&self) -> bool {
        let is_empty = self.list.window().is_empty() && self.list.shows_all();
        is_empty && !self.list.is_loading()
    }

    /// The places whose keys count now, the nearest first.
    pub(crate) fn contexts(&self) -> Vec<Context> {
        match (self.modals.last(), self.focus) {
            (None, _) if self.is_typing() => vec![Context::Typing, Context::Global],
            (Some(modal), _) => vec![modal.context(), Context::Global],
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

    /// What the tunnel is called.
    fn tunnel(&self) -> &str {
        let named = self.status.tunnel.as_ref().or(self.config.tunnel.as_ref());
        named.map_or("history", String::as_str)
    }

    /// Events that came since the screen is held still.
    fn held_back(&self) -> u64 {
        let Some((changes, Some(newest))) = &self.held else {
            return 0;
        };
        let through = changes.appended.unwrap_or(*newest);
        u64::try_from(through.0.saturating_sub(newest.0)).unwrap_or(0)
    }

    /// The keys.
    pub(crate) fn keymap(&self) -> &Keymap {
        &self.config.keymap
    }

    /// The zone of every time on the screen.
    pub(crate) fn zone(&self) -> &TimeZone {
        &self.config.zone
    }

    fn tick(&mut self, now: Timestamp) -> bool {
        self.now = now;
        self.list.tick();
        self.detail.tick();
        self.names.tick();
        self.figures.tick();
        self.batch.iter_mut().for_each(Batch::tick);
        let rate = self.rate.tick(now);
        let warning = self.warning.take_if(|(_, until)| *until <= now).is_some();
        let toasts = self.toasts.tick(now) || warning;
        let tables = self.tick_tables();
        let waits = self.explain.is_asking() || self.importing.is_some();
        rate || toasts
            || waits
            || tables
            || matches!(self.status.link, LinkState::Connecting { .. })
    }

    fn on_change(&mut self, changes: &Changes) -> bool {
        self.rate.on_change();
        if changes.named {
            self.names.on_change();
        }
        if let Some((held, _)) = &mut self.held {
            held.join(changes);
        } else {
            self.list.on_change(changes);
            self.detail.on_change(changes);
        }
        self.change_tables(changes);
        if let Some(pane) = hooks_pane(&mut self.modals) {
            pane.on_verified(&changes.verified);
        }
        if let Some(found) = changes.loops.last() {
            let until = self.now.saturating_add(WARN_FOR).unwrap_or(Timestamp::MAX);
            self.warning = Some((found.clone(), until));
        }
        for gap in &changes.gaps {
            self.toasts.show(Role::Failed, gap, self.now);
        }
        // What the history then says is what is drawn.
        changes.appended.is_some() || !changes.gaps.is_empty() || !changes.loops.is_empty()
    }

    /// Shows lines about an event in the detail, unless another one is selected by now.
    fn show_finding(&mut self, id: EventId, lines: Vec<Line>) {
        if self.list.selected().map(|row| row.id) == Some(id) {
            self.detail.show_finding(id, lines);
            self.show_detail();
        }
    }

    /// Brings the detail onto a screen that has room for one pane only.
    fn show_detail(&mut self) {
        if self.layout().is_some_and(|at| at.detail.area() == 0) {
            self.focus = Pane::Detail;
        }
    }

    /// What the panes want to know now.
    fn ask(&mut self) {
        let pane = hooks_pane(&mut self.modals);
        let asked = pane.and_then(|pane| pane.ask(&mut self.hooks_asked));
        self.start(asked);
        self.ask_tables();
        let sent = self.batch.iter_mut().flat_map(Batch::next);
        self.effects.extend(sent.map(Effect::Replay));
        let Some(layout) = self.layout() else { return };
        self.effects
            .extend(self.list.ask(layout.list_height()).map(Effect::List));
        let in_sight = self.list.in_sight(layout.list_height());
        self.effects
            .extend(self.names.ask(in_sight).map(Effect::Names));
        let is_shown = self.is_empty() || self.shows_health();
        let asked = self.figures.ask(is_shown);
        self.start(asked);
        let asked = self.rate.ask(self.now);
        self.start(asked);
        let selected = self.list.selected().map(|row| row.id);
        // Also where it is not on the screen now: what is to be copied or edited is read with it.
        let opened = Layout::of(self.size, Pane::Detail, self.shared()).unwrap_or(layout);
        let asked = self.detail.ask(selected, opened.sheet().width.into());
        self.effects.extend(asked.map(Effect::Detail));
    }
}

#[cfg(test)]
mod promises;
#[cfg(test)]
mod tests;
