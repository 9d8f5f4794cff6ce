//! Looks up the name of an app or a space at Podio.

use podtap_podio::RefType;
use podtap_podio::client::Client;

use crate::place::PlaceRef;

/// Returns the name. That of a field cannot be looked up, because the field's app is unknown.
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
