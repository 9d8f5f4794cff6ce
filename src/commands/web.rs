//! Serves the web page for `listen`, `up` and `ui`.

use podtap_connect::reason::chain;
use podtap_tui::WebLink;
use podtap_web::{BoundPage, PageConfig, PageError, PageLink, PageTunnels};

use crate::config::{Key, Settings, WebPage};
use crate::failure::{Code, Failure};
use crate::tasks::Tasks;

/// Serves the page if it is on; returns the link to it.
pub(super) async fn serve(
    tasks: &mut Tasks,
    settings: &Settings,
    tunnels: PageTunnels,
) -> Result<Option<PageLink>, Failure> {
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
        BoundPage::bind(config, tunnels.clone()).await
    };
    let mut bound = bind(address).await;
    if may_move && matches!(bound, Err(PageError::Address { .. })) {
        bound = bind((address.ip(), 0).into()).await;
    }
    let page = bound.map_err(|error| failure(&error))?;
    let (link, token) = (page.link(), tasks.token());
    tasks.start(async move {
        page.run(token).await;
        Ok(())
    });
    Ok(Some(link))
}

/// Returns the link in the form that the terminal UI needs.
pub(super) fn on_screen(link: &PageLink) -> WebLink {
    let make = link.clone();
    WebLink::new(link.url(), move |tunnel| {
        make.one_time_url(tunnel).map_err(|error| chain(&error))
    })
}

fn failure(error: &PageError) -> Failure {
    match error {
        PageError::Unprotected(address) => {
            let variable = Key::WEB_PASSWORD.variable();
            Failure::usage("the web page needs a password: other machines can reach it")
                .fact("address", address.to_string())
                .hint(format!(
                    "set {variable} or --web-password-file, or listen on this machine only, such \
                     as at 127.0.0.1:7640"
                ))
        }
        error => Failure::new(Code::Failed, "the web page cannot be served")
            .fact("why", chain(error))
            .hint("choose another address: --web 127.0.0.1:0 uses any free port"),
    }
}
