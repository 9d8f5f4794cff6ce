//! The web page as a part of `listen` and `ui`.

use podtap_agent::AgentHandle;
use podtap_connect::reason::chain;
use podtap_web::{BoundPage, PageConfig, PageError};

use crate::config::{Key, Settings, WebPage};
use crate::failure::{Code, Failure};
use crate::tasks::Tasks;

/// Serves the page, where one is wanted; its URL, which opens it.
pub(super) async fn serve(
    tasks: &mut Tasks,
    settings: &Settings,
    handle: &AgentHandle,
) -> Result<Option<String>, Failure> {
    let Some(WebPage {
        address,
        password,
        may_move,
    }) = settings.web()?
    else {
        return Ok(None);
    };
    let saved = settings.tui()?.filters;
    let bind = async |address| {
        let config = PageConfig {
            address,
            password: password.clone(),
            saved: saved.clone(),
        };
        BoundPage::bind(config, handle.clone()).await
    };
    let mut bound = bind(address).await;
    if may_move && matches!(bound, Err(PageError::Address { .. })) {
        bound = bind((address.ip(), 0).into()).await;
    }
    let page = bound.map_err(|error| failure(&error))?;
    let (url, token) = (page.url().to_owned(), tasks.token());
    tasks.start(async move {
        page.run(token).await;
        Ok(())
    });
    Ok(Some(url))
}

fn failure(error: &PageError) -> Failure {
    match error {
        PageError::Unprotected(address) => {
            let variable = Key::WEB_PASSWORD.variable();
            Failure::usage("the web page needs a password: other machines can reach it")
                .fact("address", address.to_string())
                .hint(format!(
                    "set {variable} or --web-password-file, or use an address of this machine alone, \
                     such as 127.0.0.1:7640"
                ))
        }
        error => Failure::new(Code::Failed, "the web page cannot be served")
            .fact("why", chain(error))
            .hint("name another address: --web 127.0.0.1:0 takes any free port"),
    }
}
