//! The page of what an event is about, in Podio itself.

use super::App;
use crate::effect::Effect;
use crate::explain::ExplainEffect;
use crate::theme::Role;

impl App {
    /// Asks for the page of the selected event's object.
    pub(super) fn open_item(&mut self, effects: &mut Vec<Effect>) {
        let selected = self.list.selected().map(|row| row.id);
        effects.extend(selected.map(|id| Effect::Explain(ExplainEffect::FindLink { id })));
    }

    /// The page is known, or not. It opens in the browser; where the person sits elsewhere, so
    /// does their browser, and the link goes to their clipboard instead.
    pub(super) fn linked(&mut self, result: Result<String, String>) -> Vec<Effect> {
        // Only a page: what Podio tells is handed to another program.
        let page = |link: &String| link.starts_with("https://") || link.starts_with("http://");
        let (role, text, effect) = match result {
            Ok(link) if !page(&link) => (Role::Failed, format!("{link} is no page"), None),
            Ok(link) if self.config.remote => {
                let copy = Effect::ToClipboard(link.clone().into_bytes());
                (Role::Ok, format!("Copied {link}"), Some(copy))
            }
            Ok(link) => {
                let browse = Effect::Explain(ExplainEffect::Browse(link.clone()));
                (Role::Quiet, format!("Opening {link}"), Some(browse))
            }
            Err(error) => (Role::Failed, error, None),
        };
        self.toasts.show(role, text, self.now);
        effect.into_iter().collect()
    }

    /// The browser was asked to open a page.
    pub(super) fn browsed(&mut self, result: Result<(), String>) {
        if let Err(error) = result {
            self.toasts.show(Role::Failed, error, self.now);
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Size;

    use super::*;
    use crate::config::Config;
    use crate::testing::{now, status};

    #[test]
    fn a_page_opens_where_the_person_sits_and_nothing_else_does() {
        let link = "https://podio.com/acme/crm/apps/bugs/items/17".to_owned();
        for (remote, given, effect) in [
            (
                false,
                link.clone(),
                Some(Effect::Explain(ExplainEffect::Browse(link.clone()))),
            ),
            (
                true,
                link.clone(),
                Some(Effect::ToClipboard(link.clone().into())),
            ),
            (false, "file:///etc/passwd".to_owned(), None),
            (false, "-help".to_owned(), None),
        ] {
            let config = Config {
                remote,
                ..Config::default()
            };
            let mut app = App::new(config, Size::new(100, 30), now(), status());
            let effects = app.linked(Ok(given));
            assert_eq!(effects.first(), effect.as_ref());
        }
    }
}
