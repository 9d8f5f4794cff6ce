//! The windows over the panes. The top window receives the keys.

mod click;
mod form;
pub(crate) mod help;
pub(crate) mod palette;
mod stack;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::copy::{self, CopyMenu};
use crate::edit::EditedEvent;
use crate::env::Env;
use crate::faults::{self, FaultsPane};
use crate::health::{self, HealthProps};
use crate::hooks::{self, HooksPane};
use crate::keymap::{Action, Context, Keymap};
use crate::pulses::{self, Pulses};
use crate::replay::ReplayRequest;
use crate::timeline::{self, TimelinePane};
use crate::tunnels::{self, TunnelsPane};
use crate::widget::form::Form;
use crate::widget::lines::Lines;
pub(crate) use click::ClickResult;
pub(crate) use form::FeatureForm;
use help::Help;
use palette::CommandPalette;
pub(crate) use stack::Windows;

/// A window over the panes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Modal {
    /// The help, with every key.
    Help(Help),
    /// The menu that copies an event.
    Copy(CopyMenu),
    /// A text to read.
    Lines(Lines),
    /// The state of the agent, scrolled to this line.
    Health(usize),
    /// A text that a person must confirm before the action.
    Confirm(Lines, Box<PendingAction>),
    Palette(CommandPalette),
    /// A form to fill in.
    Form(Box<Form<FeatureForm>>),
    /// The list of hooks at Podio.
    Hooks(Box<HooksPane>),
    /// The timeline of an object.
    Timeline(Box<TimelinePane>),
    /// The failed deliveries, by fault.
    Faults(Box<FaultsPane>),
    /// The calls of each hook.
    Pulses(Box<Pulses>),
    /// The tunnels of this process.
    Tunnels(Box<TunnelsPane>),
}

/// An action that waits for confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PendingAction {
    /// Replays these events.
    Replay(ReplayRequest),
    /// Quits, although events are still being replayed.
    Quit,
    DeleteHook {
        hook_id: u64,
    },
    /// Sends the edited event.
    Send(EditedEvent),
}

impl Modal {
    /// Returns the context whose keys are active while this window is on top.
    pub(crate) fn context(&self) -> Context {
        match self {
            Self::Confirm(..) => Context::Confirm,
            Self::Hooks(_) => Context::Hooks,
            Self::Timeline(_) | Self::Faults(_) | Self::Pulses(_) | Self::Tunnels(_) => {
                Context::Table
            }
            Self::Palette(_) | Self::Form(_) => Context::Typing,
            Self::Help(_) | Self::Copy(_) | Self::Lines(_) | Self::Health(_) => Context::Modal,
        }
    }

    /// Returns the filter that shows the events of the selected row.
    pub(crate) fn filter(&self) -> Option<String> {
        match self {
            Self::Faults(pane) => pane.filter(),
            Self::Pulses(pulses) => pulses.filter(),
            _ => None,
        }
    }

    /// Returns whether characters are text in this window.
    pub(crate) fn is_typed(&self) -> bool {
        matches!(self, Self::Palette(_) | Self::Form(_))
    }

    /// Returns whether the window asks for confirmation to quit.
    pub(crate) fn asks_to_quit(&self) -> bool {
        matches!(self, Self::Confirm(_, pending) if **pending == PendingAction::Quit)
    }

    /// Returns whether the window asks for confirmation.
    pub(crate) fn asks(&self) -> bool {
        matches!(self, Self::Confirm(..))
    }

    pub(crate) fn act(&mut self, action: Action, keymap: &Keymap, screen: Rect) {
        match self {
            Self::Help(help) => help.act(action, keymap, screen),
            Self::Lines(lines) | Self::Confirm(lines, _) => lines.act(action, screen),
            Self::Hooks(pane) => pane.act(action, screen),
            Self::Timeline(pane) => pane.act(action, screen),
            Self::Faults(pane) => pane.act(action, screen),
            Self::Pulses(pulses) => pulses.act(action, screen),
            Self::Tunnels(pane) => pane.act(action, screen),
            Self::Copy(_) | Self::Health(_) | Self::Palette(_) | Self::Form(_) => {}
        }
    }
}

/// Returns the area of a window on `screen`. `props` is the content of the health window.
pub(crate) fn area(window: &Modal, props: HealthProps<'_>, env: Env<'_>, screen: Rect) -> Rect {
    match window {
        Modal::Help(help) => help.area(env.keymap, screen),
        Modal::Copy(menu) => menu.area(screen),
        Modal::Lines(lines) | Modal::Confirm(lines, _) => lines.area(screen),
        Modal::Health(top) => health::window(props, env, screen, *top).area(screen),
        Modal::Palette(_) => CommandPalette::area(screen),
        Modal::Form(form) => form.area(screen),
        Modal::Hooks(_) => hooks::area(screen),
        Modal::Timeline(_) => timeline::area(screen),
        Modal::Faults(_) => faults::area(screen),
        Modal::Pulses(_) => pulses::area(screen),
        Modal::Tunnels(pane) => tunnels::area(pane, screen),
    }
}

/// Draws a window over `screen`. `props` is the content of the health window.
pub(crate) fn view(
    window: &Modal,
    props: HealthProps<'_>,
    env: Env<'_>,
    screen: Rect,
    buffer: &mut Buffer,
) {
    match window {
        Modal::Help(help) => help::view(help, env, screen, buffer),
        Modal::Copy(menu) => copy::view(menu, env, screen, buffer),
        Modal::Lines(lines) | Modal::Confirm(lines, _) => lines.view(env, screen, buffer),
        Modal::Health(top) => {
            health::window(props, env, screen, *top).view(env, screen, buffer);
        }
        Modal::Palette(palette) => palette.view(env, screen, buffer),
        Modal::Form(form) => form.view(env, screen, buffer),
        Modal::Hooks(pane) => hooks::view(pane, env, screen, buffer),
        Modal::Timeline(pane) => timeline::view(pane, env, screen, buffer),
        Modal::Faults(pane) => faults::view(pane, env, screen, buffer),
        Modal::Pulses(table) => pulses::view(table, env, screen, buffer),
        Modal::Tunnels(pane) => tunnels::view(pane, env, screen, buffer),
    }
}
