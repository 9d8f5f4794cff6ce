//! What each view is told of the state: the panes, the header and the footer know nothing of the
//! rest of it.

use super::App;
use crate::env::Env;
use crate::footer::Footer;
use crate::header::Header;
use crate::keymap::Context;
use crate::layout::Pane;
use crate::modal::Modal;
use crate::{detail, list};

impl App {
    /// How everything is drawn.
    pub(crate) fn env(&self) -> Env<'_> {
        Env {
            theme: self.config.theme,
            keymap: &self.config.keymap,
            zone: &self.config.zone,
            now: self.now,
        }
    }

    /// What the header tells.
    pub(crate) fn header(&self) -> Header<'_> {
        Header {
            tunnel: self.tunnel(),
            status: &self.status,
            rate: &self.rate,
            batch: self.batch.as_ref(),
            imported: self.imported_so_far(),
        }
    }

    /// What the list's pane is told.
    pub(crate) fn list_props(&self) -> list::ListProps<'_> {
        list::ListProps {
            status: &self.status,
            search: &self.search,
            names: &self.names,
            chain: self.figures.known().chain.as_ref(),
            only_marked: self.only_marked,
            held_back: self.held.is_some().then(|| self.held_back()),
            warning: self.warning.as_ref().map(|(found, _)| found),
            is_typing: self.is_typing(),
            focused: self.has_focus(Pane::List),
        }
    }

    /// What the detail's pane is told.
    pub(crate) fn detail_props(&self) -> detail::DetailProps {
        let opened = self.detail.opened();
        detail::DetailProps {
            selected: self.list.selected().map(|row| row.id),
            asked_for: opened.and_then(|opened| self.explain.seconds(opened.event.id, self.now)),
            focused: self.has_focus(Pane::Detail),
        }
    }

    /// What the footer is told, while the keys of these places count.
    pub(crate) fn footer<'a>(&'a self, contexts: &'a [Context]) -> Footer<'a> {
        Footer {
            contexts,
            focus: self.modals.is_empty().then_some(self.focus),
            list: &self.list,
            detail: &self.detail,
            only_marked: self.only_marked,
            can_stop: self.batch.is_some() || self.imported_so_far().is_some(),
            is_typing: self.is_typing(),
            form: match self.modals.last() {
                Some(Modal::Form(form, _)) => Some(form),
                _ => None,
            },
        }
    }
}
