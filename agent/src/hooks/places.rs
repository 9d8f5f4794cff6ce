//! Determines the places whose hooks are listed: the configured and the learned ones. Pure.

use std::collections::HashSet;

use podtap_podio::client::Grant;

use crate::config::PodioConfig;
use crate::place::{Place, PlaceRef};

/// Maximum number of places whose hooks are listed.
pub const MAX_PLACES: usize = 25;

/// Returns the configured places, then the learned ones, without duplicates, and how many are
/// beyond the limit.
pub(super) fn merge(configured: &[PlaceRef], learned: Vec<Place>) -> (Vec<Place>, usize) {
    let named = |at: &PlaceRef| {
        let known = learned.iter().find(|place| place.at == *at);
        let name = known.and_then(|place| place.name.clone());
        Place { at: *at, name }
    };
    let mut places: Vec<Place> = configured.iter().map(named).collect();
    places.extend(learned);
    let mut seen = HashSet::new();
    places.retain(|place| seen.insert(place.at));
    let left_out = places.len().saturating_sub(MAX_PLACES);
    places.truncate(MAX_PLACES);
    (places, left_out)
}

/// Returns the places of a configuration: named as such, by a hook to create there, or as the app
/// whose token is used.
pub(crate) fn configured_places(config: &PodioConfig) -> Vec<PlaceRef> {
    let wanted = config.hooks.iter().flat_map(|hooks| &hooks.wanted);
    let credentials = config.client.credentials.as_ref();
    let own = credentials.and_then(|credentials| match credentials.grant {
        Grant::App { app_id, .. } => Some(PlaceRef::app(app_id)),
        _ => None,
    });
    let places = config.places.iter().copied();
    places
        .chain(wanted.map(|hook| hook.place))
        .chain(own)
        .collect()
}

#[cfg(test)]
mod tests {
    use podtap_podio::client::Credentials;

    use super::*;
    use crate::config::HooksConfig;
    use crate::hooks::plan;

    fn named_place(at: PlaceRef, name: &str) -> Place {
        let name = Some(name.to_owned());
        Place { at, name }
    }

    #[test]
    fn configured_places_come_first_and_each_is_listed_once_under_its_learned_name() {
        let (app, space) = (PlaceRef::app(1), PlaceRef::space(1));
        let learned = vec![named_place(space, "Sales"), named_place(app, "Orders")];

        let (places, left_out) = merge(&[app, PlaceRef::field(7), app], learned);

        let field = Place {
            at: PlaceRef::field(7),
            name: None,
        };
        let wanted = [
            named_place(app, "Orders"),
            field,
            named_place(space, "Sales"),
        ];
        assert_eq!((&places[..], left_out), (&wanted[..], 0));
    }

    #[test]
    fn places_beyond_the_limit_are_counted() {
        let learned: Vec<_> = (0..30)
            .map(|id| named_place(PlaceRef::app(id), "x"))
            .collect();
        let (places, left_out) = merge(&[PlaceRef::space(9)], learned);
        assert_eq!((places.len(), left_out), (MAX_PLACES, 6));
        assert_eq!(places[0].at, PlaceRef::space(9));
    }

    #[test]
    fn wanted_hooks_and_the_credentials_name_places_too() {
        let mut config = PodioConfig {
            places: vec![PlaceRef::space(9)],
            hooks: Some(HooksConfig {
                wanted: plan(PlaceRef::app(3), "item.update").unwrap(),
                ..HooksConfig::default()
            }),
            ..PodioConfig::default()
        };
        config.client.credentials = Some(Credentials {
            client_id: "podtap".to_owned(),
            client_secret: "secret".into(),
            grant: Grant::App {
                app_id: 4,
                app_token: "token".into(),
            },
        });
        let wanted = [PlaceRef::space(9), PlaceRef::app(3), PlaceRef::app(4)];
        assert_eq!(configured_places(&config), wanted);
    }
}
