//! Where events go: routes, of which the first that takes an event has it, and the target of all
//! that no route takes. An event may be for several targets; each has it in the order of its object.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::history::{ArrivalFilter, Event, FilterError, Saved};
use crate::place::PlaceRef;
use crate::target::InvalidTarget;
use crate::target::Target;

/// Most targets: each has lanes, connections and a read-ahead of its own.
pub const MAX_TARGETS: usize = 16;

/// Most routes: an event is held against each until one takes it.
pub const MAX_ROUTES: usize = 64;

/// In front of a route that takes an event and leaves it to the next ones, too.
const ALSO: char = '+';

/// `FILTER=TARGET`: events that the filter wants go to the target. The search for a route ends with
/// it, unless a `+` stands in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    filter: ArrivalFilter,
    also: bool,
    target: Target,
    text: String,
}

/// A text that is no route, or one route too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRoute {
    /// Nothing tells the filter from the target.
    #[error("a route is FILTER=TARGET, such as 'type:item.*=3001'")]
    NoTarget,
    /// The filter cannot be used.
    #[error("{0}")]
    Filter(#[from] FilterError),
    /// The target cannot be used.
    #[error("{0}")]
    Target(#[from] InvalidTarget),
    #[error("there are more than {MAX_ROUTES} routes")]
    TooManyRoutes,
    #[error("the routes lead to more than {MAX_TARGETS} targets")]
    TooManyTargets,
}

impl Route {
    /// The route that `text` says, `saved` being what `@name` stands for.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str, now: Timestamp, saved: &Saved) -> Result<Self, InvalidRoute> {
        let text = text.trim();
        let rest = text.strip_prefix(ALSO);
        let (filter, target) = split(rest.unwrap_or(text)).ok_or(InvalidRoute::NoTarget)?;
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

    /// Where it leads.
    pub fn target(&self) -> &Target {
        &self.target
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text before and after the first `=` that is not in quotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = text.find(|c| {
        quoted ^= c == '"';
        c == '=' && !quoted
    })?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// All routes of a tunnel, and where the rest goes. The default leads nowhere: events are recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    list: Vec<Route>,
    rest: Option<Target>,
    /// Each once, in the order in which an event comes to them.
    targets: Vec<Target>,
}

/// Where events go from now on.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    pub(crate) routes: Arc<Routes>,
    /// Whether what was held goes there, too.
    pub(crate) with_held: bool,
}

impl From<Arc<Routes>> for Course {
    fn from(routes: Arc<Routes>) -> Self {
        Self {
            routes,
            with_held: false,
        }
    }
}

impl Routes {
    /// These routes, in order; what none of them ends with goes to `rest`, where there is one.
    ///
    /// # Errors
    /// Where there are more than can be served.
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

    /// Everything to one target, or nowhere.
    pub fn to(target: Option<Target>) -> Self {
        Self {
            list: Vec::new(),
            targets: target.iter().cloned().collect(),
            rest: target,
        }
    }

    /// The routes, without the target of the rest.
    pub fn list(&self) -> &[Route] {
        &self.list
    }

    /// Where what no route ends with goes.
    pub fn rest(&self) -> Option<&Target> {
        self.rest.as_ref()
    }

    /// Every target, each once.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Whether a route asks where hooks are.
    pub(crate) fn ask_places(&self) -> bool {
        self.list.iter().any(|route| route.filter.asks_place())
    }

    /// The targets that an event is for, in order; `place` is where its hook is, as far as is known.
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
