//! Where an event goes: by the routes, and by what is known of its hook.

mod known_places;

use std::sync::Arc;

use crate::history::Event;
use crate::routes::Routes;
use crate::target::Target;
pub(crate) use known_places::KnownPlaces;

/// The routes as they are now, with what they have to know of hooks. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Router {
    pub(crate) routes: Arc<Routes>,
    pub(crate) places: KnownPlaces,
}

impl Router {
    /// The targets that an event is for, in order.
    pub(crate) fn targets_of(&self, event: &Event) -> Vec<&Target> {
        let place = event.insight.place.as_ref().map(|place| place.at);
        let hook = || event.podio.as_ref()?.hook_id;
        let place = place.or_else(|| self.places.of(hook()?));
        self.routes.of(event, place)
    }
}
