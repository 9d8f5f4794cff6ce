//! Opens the web page that belongs to the UI in the person's browser.

use std::fmt;
use std::sync::Arc;

use crate::command::UiCommand;
use crate::explain::ExplainEffect;
use crate::theme::Role;

/// Creates a URL that opens the page of a tunnel once, or returns why it cannot.
type MakeUrl = dyn Fn(&str) -> Result<String, String> + Send + Sync;

/// The address of the web page. Cheap to clone.
#[derive(Clone)]
pub struct WebLink {
    url: String,
    make: Arc<MakeUrl>,
}

impl WebLink {
    /// Creates a link to the page at `url`, which a person opens by hand. The URL
    /// that `make` returns goes to a browser on its command line, where other users
    /// can see it, so it must work only once.
    pub fn new(
        url: String,
        make: impl Fn(&str) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        let make = Arc::new(make);
        Self { url, make }
    }

    /// Returns the URL that a person opens by hand.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl fmt::Debug for WebLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL contains a token, so it is not printed.
        f.debug_struct("WebLink").finish_non_exhaustive()
    }
}

/// Opens the page of a tunnel. If the person works from another machine, their browser is there, so
/// the URL is copied to their clipboard instead.
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
