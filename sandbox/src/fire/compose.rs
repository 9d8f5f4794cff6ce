//! Builds the POST that Podio sends for an event (podio.md 1.2). Pure.

use fastrand::Rng;
use form_urlencoded::Serializer;
use url::Url;

use crate::world::SandboxWebhook;

/// A webhook that is ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Post {
    /// The registered URL without its query.
    pub(super) url: String,
    /// Form-encoded parameters.
    pub(super) body: String,
}

/// Builds the POST: Podio's own parameters in random order, because no order is guaranteed,
/// then those of the URL's query, which Podio removes from the URL. What Podio does with
/// equal names is unknown; the sandbox sends both.
pub(super) fn compose(webhook: &SandboxWebhook, rng: &mut Rng) -> Post {
    let mut params = webhook.params.clone();
    rng.shuffle(&mut params);
    let mut body = Serializer::new(String::new());
    body.extend_pairs(&params);
    let url = match Url::parse(&webhook.url) {
        Ok(mut url) => {
            body.extend_pairs(url.query_pairs());
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        // The URL was valid when the hook was created.
        Err(_) => webhook.url.clone(),
    };
    Post {
        url,
        body: body.finish(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use podtap_podio::{EventType, decode, sample};

    fn webhook(url: &str) -> SandboxWebhook {
        SandboxWebhook {
            hook_id: 24_360_217,
            event: EventType::ItemUpdate,
            url: url.to_owned(),
            params: sample(EventType::ItemUpdate),
        }
    }

    #[test]
    fn the_query_moves_to_the_body_and_the_path_stays() {
        let webhook = webhook("http://127.0.0.1:9/KEY/hook.php?env=dev&x=a%20b#top");

        let post = compose(&webhook, &mut Rng::with_seed(7));

        assert_eq!(post.url, "http://127.0.0.1:9/KEY/hook.php");
        let event = decode(None, post.body.as_bytes()).unwrap();
        assert_eq!(event.param("env"), Some("dev"));
        assert_eq!(event.param("x"), Some("a b"));
        assert_eq!(event.revision(), Some(7));
    }

    #[test]
    fn no_order_of_the_parameters_can_be_relied_on() {
        let mut rng = Rng::with_seed(7);
        let webhook = webhook("http://127.0.0.1:9/");
        let bodies: HashSet<_> = (0..50).map(|_| compose(&webhook, &mut rng).body).collect();
        assert!(bodies.len() > 5);
    }
}
