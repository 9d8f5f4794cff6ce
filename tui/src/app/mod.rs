//! Holds the whole state of the UI, and `update`, which turns a message into new state and
//! into effects for the shell. It only routes: each feature decides for itself. Nothing here
//! waits, draws or reads the clock.

mod act;
mod answer;
mod mouse;
mod shown;
mod submit;
mod window;

use jiff::Timestamp;
use podtap_agent::{LinkState, Status};
use ratatui::layout::Size;

use crate::archive::Archive;
use crate::changes::Changes;
use crate::command::UiCommand;
use crate::config::UiConfig;
use crate::detail::Detail;
use crate::effect::Effect;
use crate::explain::Explain;
use crate::figures::FiguresPoller;
use crate::health::{HealthEffect, HealthPane};
use crate::hooks;
use crate::keymap::{Action, Context};
use crate::layout::{Layout, Pane};
use crate::list::List;
use crate::loops::LoopNotice;
use crate::message::Message;
use crate::modal::{Modal, Windows};
use crate::mouse::Clicks;
use crate::names::Names;
use crate::panes::Panes;
use crate::pause::Pause;
use crate::rate::ArrivalRate;
use crate::repair::Repairs;
use crate::replay::Replays;
use crate::search::Search;
use crate::theme::Role;
use crate::toast::Toasts;
use crate::trigger::LastSent;
use crate::tunnels::Tunnels;

/// The whole state of the UI: the features, and the state that they share.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// The settings of appearance and behaviour.
    pub(crate) config: UiConfig,
    now: Timestamp,
    /// The latest status of the agent.
    pub(crate) status: Status,
    over: bool,
    /// Effects that the current update has collected for the shell.
    effects: Vec<Effect>,
    /// How the list and the detail share the screen.
    pub(crate) panes: Panes,
    /// The windows that are open over the panes.
    pub(crate) windows: Windows,
    /// Where the mouse button was last pressed.
    clicks: Clicks,
    /// The list of events.
    pub(crate) list: List,
    /// The open event.
    pub(crate) detail: Detail,
    /// The names of the events on the screen.
    pub(crate) names: Names,
    /// The agent's figures that are not in its status.
    pub(crate) figures: FiguresPoller,
    /// The rate at which events arrive.
    pub(crate) rate: ArrivalRate,
    /// The filter and the line in which a person types it.
    pub(crate) search: Search,
    /// Notices.
    pub(crate) toasts: Toasts,
    /// Whether the screen is paused.
    pub(crate) pause: Pause,
    /// The state of the health window.
    pub(crate) health: HealthPane,
    /// Replays of many events.
    pub(crate) replays: Replays,
    /// Imports.
    pub(crate) archive: Archive,
    /// The question to Podio about an event.
    pub(crate) explain: Explain,
    /// Loops that were found.
    pub(crate) loops: LoopNotice,
    /// The gaps that the agent reported.
    pub(crate) repairs: Repairs,
    /// The tunnels of this process.
    pub(crate) tunnels: Tunnels,
    /// The fields with which the trigger form was last submitted.
    last_sent: LastSent,
    /// The action whose key was pressed once and must be pressed again.
    asks_again: Option<Action>,
}

impl App {
    /// Creates the state at the start.
    pub(crate) fn new(config: UiConfig, size: Size, now: Timestamp, status: Status) -> Self {
        let mut toasts = Toasts::default();
        if let Some(page) = &config.web {
            let opens = config
                .keymap
                .hints(Context::Browse, &[(Action::OpenPage, "opens it")]);
            let words = format!("Web page: {}  {opens}", page.url());
            toasts.show(Role::Accent, words, now);
        }
        Self {
            search: Search::new(config.filters.clone()),
            health: HealthPane::of(&status.link, now),
            config,
            now,
            status,
            over: false,
            effects: Vec::new(),
            panes: Panes::new(size),
            windows: Windows::default(),
            clicks: Clicks::default(),
            list: List::default(),
            detail: Detail::default(),
            names: Names::default(),
            figures: FiguresPoller::default(),
            rate: ArrivalRate::default(),
            toasts,
            pause: Pause::default(),
            replays: Replays::default(),
            archive: Archive::default(),
            explain: Explain::default(),
            loops: LoopNotice::default(),
            repairs: Repairs::default(),
            tunnels: Tunnels::default(),
            last_sent: LastSent::default(),
            asks_again: None,
        }
    }

    /// Handles a message and returns the effects to carry out. After
    /// [`Effect::Quit`] it returns none.
    pub(crate) fn update(&mut self, message: Message) -> Vec<Effect> {
        if self.over {
            return Vec::new();
        }
        let changed = match message {
            Message::Key(event) => self.key(event.into()),
            Message::Mouse(event) => self.mouse(event),
            Message::Paste(text) => self.paste(&text),
            Message::Resize(size) => self.panes.resize(size),
            Message::Tick(now) => self.tick(now),
            Message::Status(status) => {
                self.health.remember(&status.link, self.now);
                std::mem::replace(&mut self.status, *status) != self.status
            }
            Message::Tunnels(now) => {
                let (is_new, told) = self.tunnels.update(now);
                self.run::<Effect>(told);
                self.windows.on_tunnels(&self.tunnels) || is_new
            }
            Message::Changed(changes) => self.on_change(&changes),
            Message::Answer(answer) => self.on_answer(answer),
        };
        if self.over {
            return std::mem::take(&mut self.effects);
        }
        let changed = self.windows.ask_waiting(self.is_typing()) || changed;
        self.ask();
        if changed {
            self.effects.push(Effect::Draw);
        }
        std::mem::take(&mut self.effects)
    }

    /// Carries out the commands of a feature. All commands of all features
    /// go through this function.
    fn run<E: Into<Effect>>(&mut self, commands: impl IntoIterator<Item = UiCommand<E>>) {
        for command in commands {
            match command {
                UiCommand::Run(effect) => self.effects.push(effect.into()),
                UiCommand::Stop(slot) => self.effects.push(Effect::Stop(slot)),
                UiCommand::Copy(bytes) => self.effects.push(Effect::ToClipboard(bytes)),
                UiCommand::Notify(role, text) => self.toasts.show(role, text, self.now),
            }
        }
    }

    /// Returns the areas of the screen; `None` if the screen is too small.
    pub(crate) fn layout(&self) -> Option<Layout> {
        self.panes.layout(!self.list.is_history_empty())
    }

    /// Returns the contexts whose keys are active now, the innermost first.
    pub(crate) fn contexts(&self) -> Vec<Context> {
        match (self.windows.top(), self.panes.focus) {
            (None, _) if self.is_typing() => vec![Context::Typing, Context::Global],
            (Some(window), _) => vec![window.context(), Context::Global],
            (None, Pane::List) => vec![Context::List, Context::Browse, Context::Global],
            (None, Pane::Detail) => vec![Context::Detail, Context::Browse, Context::Global],
        }
    }

    /// Returns whether typed characters are text and not commands.
    pub(crate) fn is_typing(&self) -> bool {
        let is_typed = self.windows.top().is_some_and(Modal::is_typed);
        self.search.is_open() || self.detail.is_finding() || is_typed
    }

    fn tick(&mut self, now: Timestamp) -> bool {
        self.now = now;
        self.list.tick();
        self.detail.tick();
        self.names.tick();
        self.figures.tick();
        self.replays.tick();
        let is_health_open = self.windows.shows_health();
        self.run(is_health_open.then_some(UiCommand::Run(HealthEffect::Measure)));
        let changed = [
            self.rate.tick(now),
            self.loops.tick(now),
            self.toasts.tick(now),
            self.windows.tick(),
            is_health_open,
            self.explain.is_asking(),
            self.archive.is_importing(),
            matches!(self.status.link, LinkState::Connecting { .. }),
        ];
        changed.contains(&true)
    }

    fn on_change(&mut self, changes: &Changes) -> bool {
        self.rate.on_change();
        if changes.named {
            self.names.on_change();
        }
        if !self.pause.keep(changes) {
            self.list.on_change(changes);
            self.detail.on_change(changes);
        }
        self.windows.on_change(changes);
        self.loops.on_found(&changes.loops, self.now);
        for incident in &changes.incidents {
            let told = self.repairs.on_incident(incident, &self.config.keymap);
            self.run([told]);
        }
        for news in &changes.hooks {
            let (role, text) = hooks::notice(news, &self.config.keymap);
            self.toasts.show(role, text, self.now);
        }
        // Touched events alone need no frame: the list and the detail read them again,
        // and the answer causes the frame.
        let is_told = !changes.incidents.is_empty() || !changes.hooks.is_empty();
        changes.appended.is_some() || is_told || !changes.loops.is_empty()
    }

    /// Collects the questions that the features have for the agent now.
    fn ask(&mut self) {
        let asked = self.windows.ask();
        self.run(asked);
        let asked = self.replays.ask();
        self.run(asked);
        let has_events = !self.list.is_history_empty();
        let Some(layout) = self.panes.layout(has_events) else {
            return;
        };
        let asked = self.list.ask(layout.list_height());
        self.run(asked.map(UiCommand::Run));
        let in_sight = self.list.in_sight(layout.list_height());
        let asked = self.names.ask(in_sight);
        self.run(asked.map(UiCommand::Run));
        let asked = self.figures.ask(!has_events || self.windows.shows_health());
        self.run(asked.map(UiCommand::Run));
        let asked = self.rate.ask(self.now);
        self.run(asked.map(UiCommand::Run));
        let selected = self.list.selected_event().map(|row| row.id);
        // The detail is loaded even if it is not on the screen: copying and
        // editing use the loaded event.
        let opened = self.panes.layout_of_detail(has_events).unwrap_or(layout);
        let asked = self.detail.ask(selected, opened.sheet().width.into());
        self.run(asked.map(UiCommand::Run));
    }
}

#[cfg(test)]
mod promises;
#[cfg(test)]
mod tests;
