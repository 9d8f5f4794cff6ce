//! Defines what exists in the sandbox at its start: a JSON document that people write.
//!
//! `seed.json` beside this file is both the default and the documented example.

use podtap_podio::client::{Credentials, Grant};
use serde::Deserialize;
use serde_json::{Map, Value};

/// All objects that exist at the start.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Registered API clients.
    pub clients: Vec<SeedClient>,
    /// Users who can log in.
    pub users: Vec<SeedUser>,
    /// Spaces with their apps.
    pub spaces: Vec<SeedSpace>,
}

/// A registered API client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedClient {
    /// Id in requests.
    pub client_id: String,
    /// Secret of the client. The sandbox protects nothing, so the secret is shown freely.
    pub client_secret: String,
    /// Name for people, as in `created_via`.
    pub name: String,
    /// Podio's number for the client, as in `created_via`. If it is missing, the sandbox
    /// assigns one.
    #[serde(default)]
    pub auth_client_id: Option<u64>,
}

/// A user who can log in. The first one is also the author of simulated changes and of
/// logins in the browser.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedUser {
    /// Unique number of the user.
    pub user_id: u64,
    /// The name to show.
    pub name: String,
    /// The user name of the password grant.
    pub mail: String,
    /// Password for the password grant. It is public, like the whole seed.
    pub password: String,
}

/// A space with its apps. Hooks can be created on spaces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSpace {
    /// Unique number of the space.
    pub space_id: u64,
    /// Name that people see.
    pub name: String,
    /// Apps; none if missing.
    #[serde(default)]
    pub apps: Vec<SeedApp>,
}

/// An app with its fields and its first items.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedApp {
    /// Unique number of the app.
    pub app_id: u64,
    /// Name that people see.
    pub name: String,
    /// Name of one of its items, such as "order".
    pub item_name: String,
    /// Its token, for app authentication.
    pub token: String,
    /// Fields in the order of the template.
    pub fields: Vec<SeedField>,
    /// Items: values by the field's `external_id`, in the form in which an API client sends them.
    #[serde(default)]
    pub items: Vec<Map<String, Value>>,
}

/// A field of an app.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedField {
    /// Name in the API.
    pub external_id: String,
    /// Type: `text`, `number`, `category`, `date`, `money`, `app`, `contact`, `progress`,
    /// `calculation`, or any other, whose values are stored unchanged.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name for people.
    pub label: String,
    /// Options of a `category`, which are numbered from 1.
    #[serde(default)]
    pub options: Vec<String>,
    /// Settings of the type, as in Podio's `config.settings`, such as a text's `size` (`small`
    /// is plain, `large` is HTML). By default, a text is small.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// The document is not a valid seed.
#[derive(Debug, thiserror::Error)]
#[error("not a sandbox seed")]
pub struct InvalidSeed(#[from] serde_json::Error);

impl Seed {
    /// The example as text, as a starting point for other seeds.
    pub const EXAMPLE: &str = include_str!("seed.json");

    /// Parses a document. Unknown members are refused, so that misspelled ones are found.
    ///
    /// # Errors
    /// With the line and column of the error.
    pub fn from_json(text: &[u8]) -> Result<Self, InvalidSeed> {
        Ok(serde_json::from_slice(text)?)
    }

    /// Returns the example: a small company's space with three apps.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the text is compiled in, and a test reads it"
    )]
    /// Returns the default seed, [`Self::EXAMPLE`].
    pub fn example() -> Self {
        Self::from_json(Self::EXAMPLE.as_bytes()).expect("the example is a seed")
    }

    /// Returns the credentials of the user at this index, counted from 0, through the API
    /// client at the same index.
    pub fn credentials(&self, place: usize) -> Option<Credentials> {
        let (client, user) = (self.clients.get(place)?, self.users.get(place)?);
        Some(Credentials {
            client_id: client.client_id.clone(),
            client_secret: client.client_secret.as_str().into(),
            grant: Grant::Password {
                username: user.mail.clone(),
                password: user.password.as_str().into(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_seed_with_fields_for_every_value_its_items_have() {
        for app in Seed::example().spaces.iter().flat_map(|space| &space.apps) {
            for name in app.items.iter().flat_map(Map::keys) {
                let known = app.fields.iter().any(|field| field.external_id == *name);
                assert!(known, "{}: {name}", app.name);
            }
        }
    }

    #[test]
    fn a_misspelt_member_is_named() {
        let error = Seed::from_json(br#"{"client":[]}"#).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("client"), "{source}");
    }
}
