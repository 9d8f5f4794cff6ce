//! Computes the initial values of the fields of the trigger form. Pure.
//!
//! The first of these that exists is the value: what a person typed for the same parameter before
//! they changed the type, what was sent last in this session, the value in the selected event,
//! the value that Podio usually sends ([`sample()`]). So a local service under test gets the same
//! item again, at its next revision.

use std::collections::BTreeMap;

use podtap_agent::draft::{PATH, Params};
use podtap_podio::{EventKind, EventType, PodioEvent, sample};

use super::more;

/// The name under which the additional parameters are stored.
pub(super) const MORE: &str = "More";

/// Maximum number of characters of a suggested parameter, which is also the maximum of a field.
const LONGEST: usize = 1_000;

/// Maximum number of parameters of the selected event to read. Real events have fewer.
const MOST: usize = 100;

/// A type of the catalogue; `None` for another one, which a person types.
pub(super) type SuggestedType = Option<EventType>;

pub(super) type Param = (String, String);

/// The values that were sent last, kept while the UI runs. Only names of the catalogue
/// are stored, so that it stays small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastSent {
    /// The type; `None` before the first event.
    kind: Option<SuggestedType>,
    path: Option<String>,
    target: String,
    values: BTreeMap<String, String>,
}

/// The sources of the initial values of one open form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Suggestions {
    /// The parameters of the selected event.
    selected: Params,
    /// The type whose fields are shown.
    shown: SuggestedType,
    /// The values that were typed, including those for types that were chosen before.
    typed: BTreeMap<String, String>,
    last: LastSent,
}

impl LastSent {
    /// Stores the values of a submitted form. A value that Podio usually sends is not stored,
    /// because it may differ for another type.
    pub(super) fn keep(&mut self, kind: SuggestedType, path: &str, target: &str, fields: &[Param]) {
        self.kind = Some(kind);
        self.path = Some(path.to_owned());
        target.clone_into(&mut self.target);
        for (name, value) in fields {
            if *value == usual(kind, name) {
                self.values.remove(name);
            } else {
                self.values.insert(name.clone(), value.clone());
            }
        }
    }

    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(PATH)
    }

    pub(super) fn target(&self) -> &str {
        &self.target
    }
}

impl Suggestions {
    /// Starts with the type that was sent last, otherwise with the type of the selected event.
    pub(super) fn new(selected: Option<&PodioEvent>, last: &LastSent) -> Self {
        let params = selected.map(|event| event.params.as_slice());
        let is_short = |(name, value): &&Param| name.len() + value.len() <= LONGEST;
        let params = params.unwrap_or_default().iter().take(MOST);
        let of_selected = match selected.map(|event| &event.kind) {
            Some(EventKind::Known(event)) => Some(*event),
            Some(EventKind::Other(_)) => None,
            None => EventType::ALL.first().copied(),
        };
        Self {
            selected: params.filter(is_short).cloned().collect(),
            shown: last.kind.unwrap_or(of_selected),
            typed: BTreeMap::new(),
            last: last.clone(),
        }
    }

    /// Returns the type whose fields are shown.
    pub(super) fn kind(&self) -> SuggestedType {
        self.shown
    }

    /// Changes the type. Values that were typed for the former type are kept.
    pub(super) fn choose(&mut self, kind: SuggestedType, fields: Params) {
        for (name, value) in fields {
            if value != self.value(&name) {
                self.typed.insert(name, value);
            }
        }
        self.shown = kind;
    }

    /// Returns the parameters of the shown type, each with whether it is left out if empty.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, bool)> {
        names(self.shown)
    }

    /// Returns the initial value of a field.
    pub(super) fn value(&self, name: &str) -> String {
        let known = self.typed.get(name);
        let known = known.or_else(|| self.last.values.get(name));
        known
            .cloned()
            .or_else(|| self.of_selected(name))
            .unwrap_or_else(|| usual(self.shown, name))
    }

    /// Returns the value in the selected event, if it would be correct for the next event.
    fn of_selected(&self, name: &str) -> Option<String> {
        let kind = find(&self.selected, "type")?;
        let same_kind = match self.shown {
            Some(event) => event.as_str() == kind,
            None => kind.parse::<EventType>().is_err(),
        };
        let found = find(&self.selected, name).map(str::to_owned);
        match (name, self.shown) {
            // Parameters from the query, or those that this version does not know.
            (MORE, _) if same_kind => Some(self.beyond()),
            // Each type has a hook of its own.
            ("type" | "hook_id", _) if same_kind => found,
            // A new item begins at its usual revision, and each later change adds one.
            (MORE | "type" | "hook_id", _) | ("item_revision_id", Some(EventType::ItemCreate)) => {
                None
            }
            ("item_revision_id", _) => {
                let next = found?.parse::<u64>().ok()?.checked_add(1)?;
                Some(next.to_string())
            }
            // If the selected event lacks an optional parameter, no value is made up for it.
            _ => found.or_else(|| is_optional(self.shown, name).then(String::new)),
        }
    }

    /// Returns the selected event's parameters that have no field of their own; empty
    /// if they do not fit in one field.
    fn beyond(&self) -> String {
        let has_field = |name: &str| name == "type" || names(self.shown).any(|(n, _)| n == name);
        let params = self.selected.iter().filter(|(name, _)| !has_field(name));
        let line = more::write(params);
        if line.chars().count() > LONGEST {
            return String::new();
        }
        line
    }
}

/// Returns the parameters that have a field, each with whether it is left out if empty.
fn names(kind: SuggestedType) -> impl Iterator<Item = (&'static str, bool)> {
    let parameters = kind.map_or(&[] as &[_], |event| event.spec().parameters);
    let typed = kind.is_none().then_some(("type", false));
    let own = parameters.iter().map(|known| (known.name, known.optional));
    typed.into_iter().chain(own).chain([("hook_id", true)])
}

fn is_optional(kind: SuggestedType, name: &str) -> bool {
    names(kind).any(|(known, optional)| known == name && optional)
}

/// Returns the value that Podio usually sends in an event of this type.
fn usual(kind: SuggestedType, name: &str) -> String {
    let usual = kind.map(sample).unwrap_or_default();
    find(&usual, name).unwrap_or_default().to_owned()
}

fn find<'a>(params: &'a [Param], name: &str) -> Option<&'a str> {
    let named = params.iter().find(|(known, _)| known == name);
    named.map(|(_, value)| value.as_str())
}
