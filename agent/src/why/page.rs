//! Identifies an item by its page in Podio. The page's URL contains the labels of the app and the
//! item's number within the app, with which Podio must be asked for the item's id.

use podtap_podio::client::{self, Client, RateLimit};
use podtap_podio::{ObjectKind, ObjectRef, RefType};
use url::Url;

use crate::explain::near_limit;
use crate::history::HistoryError;
use crate::hooks::ManageHooksError;
use crate::place::Place;

/// An item, identified by its page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPage {
    /// The path of the app's own page.
    app: String,
    /// The item's number within the app.
    number: u64,
}

/// The error of which [`FindItemError`] is the cause.
pub const ITEM_NOT_FOUND: &str = "the item of this link cannot be found";

/// Why the item of a page cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FindItemError {
    /// There are no credentials.
    #[error("Podio credentials are required to look up a link: set them, or run `podtap login`")]
    NoCredentials,
    /// The rest of the hour's calls is reserved.
    #[error("{}", ManageHooksError::RateLimitNear(*.0))]
    RateLimitNear(RateLimit),
    /// None of the known apps has this page.
    #[error("the link is not to a known app")]
    UnknownApp,
    /// Podio could not be asked, or refused.
    #[error(transparent)]
    Podio(#[from] client::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl ItemPage {
    /// Parses the URL of a page, such as `https://podio.com/org/space/apps/orders/items/12`.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let (app, number) = url.path().trim_end_matches('/').rsplit_once("/items/")?;
        let is_app = app.contains("/apps/");
        Some(Self {
            app: app.to_lowercase(),
            number: number.parse().ok()?,
        })
        .filter(|_| is_app)
    }

    /// Returns whether an app's own link leads to the app of this page.
    fn is_of(&self, link: &str) -> bool {
        Url::parse(link)
            .is_ok_and(|link| link.path().trim_end_matches('/').to_lowercase() == self.app)
    }

    /// Asks the known apps for their links, one after another, then the right one for the item.
    pub(crate) async fn find(
        &self,
        client: &Client,
        places: &[Place],
    ) -> Result<ObjectRef, FindItemError> {
        if !client.has_credentials() {
            return Err(FindItemError::NoCredentials);
        }
        let apps = places
            .iter()
            .filter(|place| place.at.ref_type == RefType::App);
        let mut refused = None;
        for place in apps {
            may_call(client)?;
            let app = match client.app(place.at.ref_id).await {
                Ok(app) => app,
                // Another app may be the right one.
                Err(error) => {
                    refused.get_or_insert(error);
                    continue;
                }
            };
            if app.link.is_some_and(|link| self.is_of(&link)) {
                may_call(client)?;
                let item = client.item_by_number(place.at.ref_id, self.number).await?;
                let (kind, id) = (ObjectKind::Item, item.item_id);
                return Ok(ObjectRef { kind, id });
            }
        }
        Err(refused.map_or(FindItemError::UnknownApp, FindItemError::Podio))
    }
}

fn may_call(client: &Client) -> Result<(), FindItemError> {
    near_limit(client).map_or(Ok(()), |rate| Err(FindItemError::RateLimitNear(rate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_an_item_names_its_app_and_its_number() {
        let page = ItemPage::parse(" https://podio.com/Acme/crm/apps/orders/items/12/?x=1#c ");
        let page = page.unwrap();
        assert_eq!(page.number, 12);
        for (link, is_its) in [
            ("https://podio.com/acme/crm/apps/orders", true),
            ("https://podio.com/acme/crm/apps/Orders/", true),
            ("https://podio.com/acme/crm/apps/orders-2", false),
            ("https://podio.com/acme/sales/apps/orders", false),
            ("gone", false),
        ] {
            assert_eq!(page.is_of(link), is_its, "{link}");
        }
        for text in [
            "https://podio.com/acme/crm/apps/orders",
            "https://podio.com/acme/crm/apps/orders/items/new",
            "https://podio.com/acme/items/12",
            "https://podio.com/tasks/9",
            "item:12",
            "",
        ] {
            assert_eq!(ItemPage::parse(text), None, "{text}");
        }
    }
}
