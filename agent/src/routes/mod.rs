//! Routes of events: the first route that matches an event determines its target, and events that
//! match no route go to a default target. An event may have several targets, and reaches each in
//! the order of its object.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::history::{ArrivalFilter, Event, FilterError, SavedFilters};
use crate::place::PlaceRef;
use crate::target::InvalidTarget;
use crate::target::Target;

/// Maximum number of targets: each has its own lanes, connections and read-ahead.
pub const MAX_TARGETS: usize = 16;

/// Maximum number of routes: an event is compared with each until one matches.
pub const MAX_ROUTES: usize = 64;

/// Prefix of a route after which the search continues even if the event matches.
const ALSO: char = '+';

/// `FILTER=TARGET`: events that match the filter go to the target. The search for a route then
/// ends, unless the route begins with `+`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    filter: ArrivalFilter,
    also: bool,
    target: Target,
    text: String,
}

/// A text that is not a route, or too many routes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// There is no `=` between filter and target.
    #[error("a route is FILTER=TARGET, such as 'type:item.*=3001'")]
    NoTarget,
    /// The filter is invalid.
    #[error("{0}")]
    Filter(#[from] FilterError),
    /// The target is invalid.
    #[error("{0}")]
    Target(#[from] InvalidTarget),
    #[error("there are more than {MAX_ROUTES} routes")]
    TooManyRoutes,
    #[error("the routes lead to more than {MAX_TARGETS} targets")]
    TooManyTargets,
}

impl Route {
    /// Parses a route; `saved` are the filters for `@name`.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    pub fn parse(text: &str, now: Timestamp, saved: &SavedFilters) -> Result<Self, InvalidRoute> {
        let text = text.trim();
        let rest = text.strip_prefix(ALSO);
        let (filter, target) =
            split_at_equals(rest.unwrap_or(text)).ok_or(InvalidRoute::NoTarget)?;
        let indent = text.chars().count() - rest.unwrap_or(text).chars().count();
        let filter = ArrivalFilter::parse(filter, now, saved).map_err(|error| FilterError {
            column: error.column + indent,
            ..error
        })?;
        Ok(Self {
            filter,
            also: rest.is_some(),
            target: Target::from_setting(target)?,
            text: text.to_owned(),
        })
    }

    /// Returns its target.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Returns the text before and after the first `=` that is not in quotes.
fn split_at_equals(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = text.find(|c| {
        quoted ^= c == '"';
        c == '=' && !quoted
    })?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// All routes of a tunnel, and the default target. The
/// default has no targets: events are only stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    list: Vec<Route>,
    rest: Option<Target>,
    /// All targets without duplicates, in the order in which an event reaches them.
    targets: Vec<Target>,
}

/// The routes from now on.
#[derive(Debug, Clone)]
pub(crate) struct CurrentRoutes {
    pub(crate) routes: Arc<Routes>,
    /// Whether held events are delivered, too.
    pub(crate) with_held: bool,
}

impl From<Arc<Routes>> for CurrentRoutes {
    fn from(routes: Arc<Routes>) -> Self {
        Self {
            routes,
            with_held: false,
        }
    }
}

impl Routes {
    /// Creates routes that are tried in this order; events
    /// for which no route ends the search go to `rest`.
    ///
    /// # Errors
    /// If there are more than the limits allow.
    pub fn new(routes: Vec<Route>, rest: Option<Target>) -> Result<Self, InvalidRoute> {
        if routes.len() > MAX_ROUTES {
            return Err(InvalidRoute::TooManyRoutes);
        }
        let mut targets: Vec<Target> = Vec::new();
        for target in routes.iter().map(|route| &route.target).chain(&rest) {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
        }
        if targets.len() > MAX_TARGETS {
            return Err(InvalidRoute::TooManyTargets);
        }
        Ok(Self {
            list: routes,
            rest,
            targets,
        })
    }

    /// Creates routes that send everything to one target, or nowhere.
    pub fn to(target: Option<Target>) -> Self {
        Self {
            list: Vec::new(),
            targets: target.iter().cloned().collect(),
            rest: target,
        }
    }

    /// Returns the routes, without the default target.
    pub fn list(&self) -> &[Route] {
        &self.list
    }

    /// Returns the default target.
    pub fn rest(&self) -> Option<&Target> {
        self.rest.as_ref()
    }

    /// Returns all targets, without duplicates.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Returns whether a route asks for the places of hooks.
    pub(crate) fn ask_places(&self) -> bool {
        self.list.iter().any(|route| route.filter.asks_place())
    }

    /// Returns the targets of an event, in order; `place` is the place of its hook, if known.
    pub(crate) fn of(&self, event: &Event, place: Option<PlaceRef>) -> Vec<&Target> {
        let mut found: Vec<&Target> = Vec::new();
        for route in self
            .list
            .iter()
            .filter(|route| route.filter.takes(event, place))
        {
            if !found.contains(&&route.target) {
                found.push(&route.target);
            }
            if !route.also {
                return found;
            }
        }
        found.extend(self.rest.as_ref().filter(|rest| !found.contains(rest)));
        found
    }
}

#[cfg(test)]
mod tests;
