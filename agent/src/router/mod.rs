//! Determines the targets of an event from the routes and the place of its hook.

mod known_places;

use std::sync::Arc;

use crate::history::Event;
use crate::routes::Routes;
use crate::target::Target;
pub(crate) use known_places::KnownPlaces;

/// The current routes, with the places that they need. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Router {
    pub(crate) routes: Arc<Routes>,
    pub(crate) places: KnownPlaces,
}

impl Router {
    /// Returns the targets of an event, in order.
    pub(crate) fn targets_of(&self, event: &Event) -> Vec<&Target> {
        let place = event.insight.place.as_ref().map(|place| place.at);
        let hook = || event.podio.as_ref()?.hook_id;
        let place = place.or_else(|| self.places.of(hook()?));
        self.routes.of(event, place)
    }
}
