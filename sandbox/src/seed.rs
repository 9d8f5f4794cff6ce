//! What exists in the sandbox at its start: a JSON document that people write.
//!
//! `seed.json` beside this file is both the default and the documented example.

use podtap_podio::client::{Credentials, Grant};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Everything that exists at the start.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// Registered API clients.
    pub clients: Vec<SeedClient>,
    /// People who can log in.
    pub users: Vec<SeedUser>,
    /// Spaces with their apps.
    pub spaces: Vec<SeedSpace>,
}

/// A registered API client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedClient {
    /// Its name in requests.
    pub client_id: String,
    /// Its secret. A sandbox guards nothing: it is shown freely.
    pub client_secret: String,
    /// Its name for people, as in `created_via`.
    pub name: String,
    /// Podio's number for it, as in `created_via`; one is made up where it is left out.
    #[serde(default)]
    pub auth_client_id: Option<u64>,
}

/// A person who can log in. The first one also acts for the built-in life and for logins in the
/// browser.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedUser {
    /// Any number that no other user has.
    pub user_id: u64,
    /// The name to show.
    pub name: String,
    /// The user name of the password grant.
    pub mail: String,
    /// For the password grant; public, like the whole seed.
    pub password: String,
}

/// A space with its apps: what hooks of a space are made on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedSpace {
    /// Any number that no other space has.
    pub space_id: u64,
    /// As people see it.
    pub name: String,
    /// None, if it is left out.
    #[serde(default)]
    pub apps: Vec<SeedApp>,
}

/// An app with its fields and its first items.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedApp {
    /// Any number that no other app has.
    pub app_id: u64,
    /// As people see it.
    pub name: String,
    /// What one of its items is called.
    pub item_name: String,
    /// Its token, for app authentication.
    pub token: String,
    /// In the order of the template.
    pub fields: Vec<SeedField>,
    /// Its items: values by the field's `external_id`, as an API client would write them.
    #[serde(default)]
    pub items: Vec<Map<String, Value>>,
}

/// A field of an app.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedField {
    /// Its name in the API.
    pub external_id: String,
    /// Its type: `text`, `number`, `category`, `date`, `money`, `app`, `contact`, `progress`,
    /// `calculation`, or any other, whose values are kept as they come.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name for people.
    pub label: String,
    /// The options of a `category`; they are numbered from 1.
    #[serde(default)]
    pub options: Vec<String>,
    /// Settings of its type, as Podio has them in `config.settings`, such as a text's `size`
    /// (`small` is plain, `large` is HTML). A text without is small.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

/// The document is not a seed.
#[derive(Debug, thiserror::Error)]
#[error("not a sandbox seed")]
pub struct InvalidSeed(#[from] serde_json::Error);

impl Seed {
    /// The example as text, for people to start from.
    pub const EXAMPLE: &str = include_str!("seed.json");

    /// Reads a document; unknown members are refused, so that a misspelt one is found.
    ///
    /// # Errors
    /// With the line and column of what is wrong.
    pub fn from_json(text: &[u8]) -> Result<Self, InvalidSeed> {
        Ok(serde_json::from_slice(text)?)
    }

    /// The example: a small company's space with three apps.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the text is compiled in, and a test reads it"
    )]
    /// The seed of a sandbox that is given no other, [`Self::EXAMPLE`].
    pub fn example() -> Self {
        Self::from_json(Self::EXAMPLE.as_bytes()).expect("the example is a seed")
    }

    /// Credentials of a person, counted from 0, through the API client at the same place.
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
