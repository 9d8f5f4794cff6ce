//! Determines whether a change was made by the API
//! client or app whose credentials are used here. Pure.

use std::sync::{Arc, OnceLock};

use podtap_podio::client::{ByLine, Credentials, Grant, Via};

use crate::history::Maker;

/// The identity of the credentials that are used here.
/// Cheap to clone; clones share what is learned.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnClient {
    client_id: Option<String>,
    app_id: Option<u64>,
    /// The API clients that created our own hooks, as Podio numbers them, once they were looked up.
    vias: Arc<OnceLock<Vec<Via>>>,
}

impl OwnClient {
    pub(crate) fn of(credentials: Option<&Credentials>) -> Self {
        Self {
            client_id: credentials.map(|credentials| credentials.client_id.clone()),
            app_id: credentials.and_then(|credentials| match credentials.grant {
                Grant::App { app_id, .. } => Some(app_id),
                _ => None,
            }),
            vias: Arc::default(),
        }
    }

    /// Returns whether the API clients that created our own hooks are known.
    pub(crate) fn is_learned(&self) -> bool {
        self.vias.get().is_some()
    }

    /// Stores the API clients that created our own hooks; the first call wins.
    pub(crate) fn learn(&self, vias: Vec<Via>) {
        // Two callers may have looked them up at the same time, with the same result.
        self.vias.set(vias).ok();
    }

    /// Returns who made a change. If the API clients of our own hooks are known, Podio's numbers
    /// decide. Otherwise the name decides: Podio derives the identifier of an API client from the
    /// name under which it was registered.
    pub(crate) fn judge(&self, by: Option<&ByLine>, via: Option<&Via>) -> Maker {
        let own = self.vias.get().map_or(&[][..], Vec::as_slice);
        let is_own_app = by.is_some_and(|by| by.kind == "app" && Some(by.id) == self.app_id);
        let is_own_client = via.is_some_and(|via| match own {
            [] => self.is_named_like(&via.name),
            own => own.iter().any(|ours| {
                ours.auth_client_id == via.auth_client_id
                    && ours.id == via.id
                    && ours.name == via.name
            }),
        });
        let by = made_by(by, via);
        if is_own_app || is_own_client {
            Maker::Own { by }
        } else {
            Maker::Other { by }
        }
    }

    fn is_named_like(&self, name: &str) -> bool {
        let letters = |text: &str| -> String {
            let letters = text.chars().filter(|letter| letter.is_alphanumeric());
            letters.flat_map(char::to_lowercase).collect()
        };
        let name = letters(name);
        let id = self.client_id.as_deref().map(letters);
        !name.is_empty() && id.is_some_and(|id| id.starts_with(&name))
    }
}

/// Returns the maker as text: `Ada through Invoicing`.
pub(crate) fn made_by(by: Option<&ByLine>, via: Option<&Via>) -> String {
    let name = |name: &str, nameless: &str| {
        if name.is_empty() {
            nameless.to_owned()
        } else {
            name.to_owned()
        }
    };
    let who = by.map_or_else(
        || "an unknown person".to_owned(),
        |by| {
            let who = name(&by.name, &format!("{} {}", by.kind, by.id));
            if by.kind == "app" {
                format!("the app {who}")
            } else {
                who
            }
        },
    );
    match via {
        Some(via) => format!("{who} through {}", name(&via.name, "an unnamed API client")),
        None => who,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(kind: &str, id: u64, name: &str) -> ByLine {
        ByLine {
            kind: kind.to_owned(),
            id,
            name: name.to_owned(),
        }
    }

    fn via(auth_client_id: u64, name: &str) -> Via {
        Via {
            id: Some(auth_client_id),
            auth_client_id: Some(auth_client_id),
            name: name.to_owned(),
        }
    }

    fn own(grant: Grant) -> OwnClient {
        OwnClient::of(Some(&Credentials {
            client_id: "order-sync-x7q2".to_owned(),
            client_secret: "secret".into(),
            grant,
        }))
    }

    #[test]
    fn our_own_client_is_known_by_podios_number_else_by_its_name() {
        let ada = by("user", 5, "Ada");
        let is_own = |via: &Via, known: &[Via]| {
            let ours = own(Grant::Stored);
            ours.learn(known.to_vec());
            matches!(ours.judge(Some(&ada), Some(via)), Maker::Own { .. })
        };
        assert!(is_own(&via(9, "Order sync"), &[]));
        assert!(!is_own(&via(9, "Invoicing"), &[]));
        assert!(is_own(&via(9, "Anything"), &[via(9, "Anything")]));
        assert!(!is_own(&via(8, "Order sync"), &[via(9, "Order sync")]));
    }

    #[test]
    fn what_our_own_app_does_is_ours_through_whatever_client() {
        let ours = own(Grant::App {
            app_id: 3,
            app_token: "token".into(),
        });
        let judged = |by: &ByLine| ours.judge(Some(by), Some(&via(1, "Else")));
        assert!(matches!(judged(&by("app", 3, "Orders")), Maker::Own { .. }));
        assert!(matches!(
            judged(&by("app", 4, "Other")),
            Maker::Other { .. }
        ));
        assert!(matches!(judged(&by("user", 3, "Ada")), Maker::Other { .. }));
    }

    #[test]
    fn others_are_named_with_what_they_use() {
        let judged =
            own(Grant::Stored).judge(Some(&by("user", 5, "Ada")), Some(&via(9, "Invoicing")));
        assert!(
            judged.to_string().contains("made by Ada through Invoicing"),
            "{judged}"
        );
    }
}
