//! `--web`: access control, and what the page shows in a browser.

mod browser;
mod driver;
mod guards;
mod losses;
mod opened;
mod several;
mod views;

use crate::support::{Process, Service, Stage};

/// An agent with a web page.
struct PagedAgent {
    agent: Process,
    /// The URL for webhooks.
    url: String,
    /// The URL of the page, with its token.
    page: String,
    stage: Stage,
}

impl PagedAgent {
    async fn start(service: &Service) -> Self {
        Self::on(Stage::new(), service, &[]).await
    }

    async fn on(stage: Stage, service: &Service, options: &[&str]) -> Self {
        let target = service.address().to_string();
        let fixed = [&target, "--web", "127.0.0.1:0"];
        let agent = stage.listen(&[&fixed[..], options].concat());
        let ready = agent.object("ready", |_| true).await;
        let text = |field: &str| ready[field].as_str().unwrap().to_owned();
        Self {
            url: format!("{}podio/hook", text("url")),
            page: text("web"),
            agent,
            stage,
        }
    }

    /// Returns the host and port of the page.
    fn authority(&self) -> &str {
        crate::support::split_url(&self.page).0
    }
}
