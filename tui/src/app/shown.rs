//! Collects the parts of the state that the views need. `update` needs the same parts, because a
//! click depends on where the views draw.

use super::App;
use crate::env::Env;
use crate::footer::Footer;
use crate::health::HealthProps;
use crate::keymap::Context;
use crate::modal::Modal;
use crate::web_page::WebLink;

impl App {
    /// Returns what every view needs to draw.
    pub(crate) fn env(&self) -> Env<'_> {
        self.config.env(self.now)
    }

    /// Returns what the health window shows.
    pub(crate) fn health_props(&self) -> HealthProps<'_> {
        HealthProps {
            status: &self.status,
            tunnel: self.config.tunnel_name(&self.status),
            web: self.config.web.as_ref().map(WebLink::url),
            rate: &self.rate,
            figures: self.figures.known_figures(),
            health: &self.health,
        }
    }

    /// Returns what the footer needs if the keys of these contexts are active.
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
