//! Windows over the panes: the top one has the keys.

pub(crate) mod health;
pub(crate) mod help;
pub(crate) mod palette;

use podtap_agent::{EventId, Target};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::copy::menu::{self as copy, CopyMenu};
use crate::edit::EditedEvent;
use crate::env::Env;
use crate::hooks::{self, Hooks, NewHook};
use crate::keymap::{Action, Context, Keymap};
use crate::list::EventChoice;
use crate::notes::NotedEvent;
use crate::pulses::{self, Pulses};
use crate::timeline::{self, TimelinePane};
use crate::trigger::Offer;
use crate::widget::form::Form;
use crate::widget::lines::{self, Lines};
use help::Help;
use palette::Palette;

/// A window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Modal {
    /// Every key.
    Help(Help),
    /// What to copy, and of which event.
    Copy(CopyMenu),
    /// Something to read.
    Lines(Lines),
    /// How the agent is, from this line on.
    Health(usize),
    /// Something to read before it is done.
    Confirm(Lines, Box<PendingAction>),
    /// Everything that can be done.
    Palette(Palette),
    /// Something to fill in.
    Form(Form, Box<Purpose>),
    /// The hooks as Podio has them.
    Hooks(Box<Hooks>),
    /// All that happened to an object.
    Timeline(Box<TimelinePane>),
    /// What each hook sent.
    Pulses(Box<Pulses>),
}

/// What a form is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// How a replay shall go; its first field chooses one of these.
    Replay(Vec<EventChoice>),
    /// What shall go into a file; its first field chooses one of these.
    Export(Vec<EventChoice>),
    /// Which archive shall be taken over.
    Import,
    /// What to write on this event.
    Note(NotedEvent),
    /// An event that shall be sent, and what its fields hold at first.
    Trigger(Offer),
    /// A new hook.
    CreateHook(NewHook),
}

/// What a person is asked to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PendingAction {
    /// Replay these events, to `target` where that is another than the configured one, so many a
    /// second.
    ReplayAll {
        events: Vec<EventId>,
        target: Option<Target>,
        rate: Option<usize>,
    },
    /// End, although events are still being sent.
    Quit,
    /// Delete this hook.
    DeleteHook { hook_id: u64 },
    /// Send this instead of the event as it came.
    Send(EditedEvent),
}

impl Modal {
    /// The place whose keys count while this window is on top.
    pub(crate) fn context(&self) -> Context {
        match self {
            Self::Confirm(..) => Context::Confirm,
            Self::Hooks(_) => Context::Hooks,
            Self::Timeline(_) | Self::Pulses(_) => Context::Table,
            Self::Palette(_) | Self::Form(..) => Context::Typing,
            Self::Help(_) | Self::Copy(_) | Self::Lines(_) | Self::Health(_) => Context::Modal,
        }
    }

    /// Whether it is a table with a cursor.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self, Self::Timeline(_) | Self::Pulses(_))
    }

    /// Whether it asks for an answer.
    pub(crate) fn asks(&self) -> bool {
        matches!(self, Self::Confirm(..))
    }

    /// Scrolls.
    pub(crate) fn act(&mut self, action: Action, keymap: &Keymap, screen: Rect) {
        match self {
            Self::Help(help) => help.act(action, keymap, screen),
            Self::Lines(lines) | Self::Confirm(lines, _) => lines.act(action, screen),
            Self::Hooks(pane) => pane.act(action, screen),
            Self::Timeline(pane) => pane.act(action, screen),
            Self::Pulses(pulses) => pulses.act(action, screen),
            Self::Copy(_) | Self::Health(_) | Self::Palette(_) | Self::Form(..) => {}
        }
    }
}

/// Where a window is on `screen`; `health_props` is what the health window tells.
pub(crate) fn area(
    modal: &Modal,
    health_props: health::HealthProps<'_>,
    env: Env<'_>,
    screen: Rect,
) -> Rect {
    match modal {
        Modal::Help(help) => help.area(env.keymap, screen),
        Modal::Copy(menu) => menu.area(screen),
        Modal::Lines(lines) | Modal::Confirm(lines, _) => lines.area(screen),
        Modal::Health(top) => {
            let room = lines::room(screen);
            health::health(health_props, env, room, *top).area(screen)
        }
        Modal::Palette(_) => Palette::area(screen),
        Modal::Form(form, _) => form.area(screen),
        Modal::Hooks(_) => hooks::area(screen),
        Modal::Timeline(_) => timeline::area(screen),
        Modal::Pulses(_) => pulses::area(screen),
    }
}

/// The hooks, wherever they are among the windows.
pub(crate) fn hooks_pane(modals: &mut [Modal]) -> Option<&mut Hooks> {
    modals.iter_mut().find_map(|modal| match modal {
        Modal::Hooks(pane) => Some(pane.as_mut()),
        _ => None,
    })
}

/// Draws a window over `screen`; `health_props` is what the health window tells.
pub(crate) fn view(
    modal: &Modal,
    health_props: health::HealthProps<'_>,
    env: Env<'_>,
    screen: Rect,
    buffer: &mut Buffer,
) {
    match modal {
        Modal::Help(help) => help::view(help, env, screen, buffer),
        Modal::Copy(menu) => copy::view(menu, env, screen, buffer),
        Modal::Lines(lines) | Modal::Confirm(lines, _) => lines.view(env, screen, buffer),
        Modal::Health(top) => {
            let room = lines::room(screen);
            health::health(health_props, env, room, *top).view(env, screen, buffer);
        }
        Modal::Palette(palette) => palette.view(env, screen, buffer),
        Modal::Form(form, _) => form.view(env, screen, buffer),
        Modal::Hooks(pane) => hooks::view(pane, env, screen, buffer),
        Modal::Timeline(pane) => timeline::view(pane, env, screen, buffer),
        Modal::Pulses(table) => pulses::view(table, env, screen, buffer),
    }
}
