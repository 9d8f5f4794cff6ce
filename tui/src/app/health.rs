//! The health window: opened, scrolled, and told how large the history is.

use super::App;
use crate::effect::Effect;
use crate::health::HealthEffect;
use crate::keymap::Action;
use crate::modal::Modal;
use crate::modal::health::{HealthProps, health};
use crate::widget::lines;

impl App {
    /// Opens the health window.
    pub(super) fn open_health(&mut self) {
        self.modals.push(Modal::Health(0));
        self.effects.push(Effect::Health(HealthEffect::Measure));
    }

    /// What the health window tells.
    pub(crate) fn health_props(&self) -> HealthProps<'_> {
        HealthProps {
            status: &self.status,
            tunnel: self.tunnel(),
            rate: &self.rate,
            figures: self.figures.known(),
            health: &self.health,
        }
    }

    /// Scrolls the health window, which is as long as there is to tell.
    pub(super) fn scroll_health(&mut self, action: Action) {
        let Some(Modal::Health(top)) = self.modals.last() else {
            return;
        };
        let mut lines = health(
            self.health_props(),
            self.env(),
            lines::room(self.screen()),
            *top,
        );
        lines.act(action, self.screen());
        let now = lines.top();
        if let Some(Modal::Health(top)) = self.modals.last_mut() {
            *top = now;
        }
    }

    /// Whether the health window has the keys.
    pub(super) fn shows_health(&self) -> bool {
        matches!(self.modals.last(), Some(Modal::Health(_)))
    }

    /// A second has passed: what the health window tells may be another thing now. Says whether
    /// it is open.
    pub(super) fn look_after_health(&mut self) -> bool {
        let is_open = self.shows_health();
        self.start(is_open.then_some(HealthEffect::Measure));
        is_open
    }

    /// The size of the history is known; one that cannot be read stays what it was.
    pub(super) fn measured(&mut self, bytes: Option<u64>, events: Option<u64>) {
        self.health.measured(bytes, events);
    }
}
