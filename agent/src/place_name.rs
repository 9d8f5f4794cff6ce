//! What people call an app or a space, as Podio tells it.

use podtap_podio::RefType;
use podtap_podio::client::Client;

use crate::place::PlaceRef;

/// What people call it. A field cannot be looked up without its app, which nobody named.
pub(crate) async fn look_up(client: &Client, at: PlaceRef) -> Option<String> {
    let name = match at.ref_type {
        RefType::App => client.app(at.ref_id).await.map(|app| app.config.name),
        RefType::Space => client.space(at.ref_id).await.map(|space| space.name),
        RefType::AppField => return None,
    };
    name.inspect_err(|error| tracing::debug!(place = %at, %error, "cannot learn the name"))
        .ok()
        .filter(|name| !name.is_empty())
}
