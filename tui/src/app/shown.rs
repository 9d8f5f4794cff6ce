//! What is told of the state to views that `update` needs as well: a click asks where they draw.

use super::App;
use crate::env::Env;
use crate::footer::Footer;
use crate::health::HealthProps;
use crate::keymap::Context;
use crate::modal::Modal;
use crate::web_page::WebLink;

impl App {
    /// How everything is drawn.
    pub(crate) fn env(&self) -> Env<'_> {
        self.config.env(self.now)
    }

    /// What the health window tells.
    pub(crate) fn health_props(&self) -> HealthProps<'_> {
        HealthProps {
            status: &self.status,
            tunnel: self.config.tunnel_name(&self.status),
            web: self.config.web.as_ref().map(WebLink::url),
            rate: &self.rate,
            figures: self.figures.known(),
            health: &self.health,
        }
    }

    /// What the footer is told, while the keys of these places count.
    pub(crate) fn footer<'a>(&'a self, contexts: &'a [Context]) -> Footer<'a> {
        Footer {
            contexts,
            focus: self.windows.is_empty().then_some(self.panes.focus),
            list: &self.list,
            detail: &self.detail,
            can_stop: self.replays.batch().is_some() || self.archive.is_importing(),
            is_typing: self.is_typing(),
            form: match self.windows.top() {
                Some(Modal::Form(form)) => Some(form),
                _ => None,
            },
        }
    }
}
