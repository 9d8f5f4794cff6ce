//! The web page beside the UI: where it is, and opening it in the person's browser.

use std::fmt;
use std::sync::Arc;

use crate::command::UiCommand;
use crate::explain::ExplainEffect;
use crate::theme::Role;

/// Makes a URL that opens the page on a tunnel once, or says why it cannot.
type MakeUrl = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// Leads to the web page. Cheap to clone.
#[derive(Clone)]
pub struct WebLink {
    url: String,
    make: Arc<MakeUrl>,
}

impl WebLink {
    /// The page at `url`, which a person opens by hand. What `make` returns goes to a browser on its
    /// command line, where others see it: a URL that is good once.
    pub fn new(
        url: String,
        make: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        let make = Arc::new(make);
        Self { url, make }
    }

    /// The URL that a person opens by hand.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for WebLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL has a token.
        f.debug_struct("WebLink").finish_non_exhaustive()
    }
}

/// Opens the page on a tunnel. A person who sits at another machine has their browser there: the URL
/// goes to their clipboard.
pub(crate) fn open(
    page: Option<&WebLink>,
    tunnel: &str,
    is_remote: bool,
) -> Vec<UiCommand<ExplainEffect>> {
    let Some(page) = page else {
        let words = "There is no web page: start with --web";
        return vec![UiCommand::notify(Role::Quiet, words)];
    };
    if is_remote {
        let words = "Copied the web page's URL; forward its port with ssh -L";
        let copied = UiCommand::Copy(page.url.clone().into_bytes());
        return vec![UiCommand::notify(Role::Ok, words), copied];
    }
    match (page.make)(tunnel) {
        Ok(url) => vec![
            UiCommand::notify(Role::Quiet, "Opening the web page"),
            UiCommand::Run(ExplainEffect::Browse(url)),
        ],
        Err(error) => vec![UiCommand::Notify(Role::Failed, error)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_where_the_person_sits_and_the_runs_token_is_on_no_command_line() {
        let page = WebLink::new("http://127.0.0.1:7640/?token=run".to_owned(), |tunnel| {
            Ok(format!("http://127.0.0.1:7640/?token=once&tunnel={tunnel}"))
        });
        let once = "http://127.0.0.1:7640/?token=once&tunnel=crm".to_owned();
        let opens = UiCommand::Run(ExplainEffect::Browse(once));
        assert!(open(Some(&page), "crm", false).contains(&opens));
        let copies = UiCommand::Copy(page.url.clone().into_bytes());
        let remote = open(Some(&page), "crm", true);
        assert!(remote.contains(&copies) && remote.len() == 2);
        let none = open(None, "crm", false);
        assert!(matches!(&none[..], [UiCommand::Notify(..)]), "{none:?}");
        assert!(!format!("{page:?}").contains("run"));
    }
}
