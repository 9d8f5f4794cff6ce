//! What the fields of the trigger form hold before a person types: pure, and in one place.
//!
//! A value is what was typed for the same parameter before the type was changed, else what was sent
//! last in this session, else what the event that was selected says, else Podio's usual
//! ([`sample()`]). So a handler that is being tried gets the same item again, at its next revision.

use std::collections::BTreeMap;

use podtap_agent::draft::{PATH, Params};
use podtap_podio::{EventKind, EventType, PodioEvent, sample};

use super::more;

/// The name under which parameters beyond the catalogue are kept.
pub(super) const MORE: &str = "More";

/// Characters of a captured value that is offered at most; a field holds no more either.
const LONGEST: usize = 1_000;

/// Parameters of the selected event that are looked at: of any real one, all.
const MOST: usize = 100;

/// A type of the catalogue; `None` for another one, which is typed.
pub(super) type SuggestedType = Option<EventType>;

pub(super) type Param = (String, String);

/// What was sent last, for as long as the UI runs. Only names of the catalogue are kept, so that
/// it stays small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastSent {
    /// Of which type; `None` before the first.
    kind: Option<SuggestedType>,
    path: Option<String>,
    target: String,
    values: BTreeMap<String, String>,
}

/// What the fields of one open form hold at first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Suggestions {
    /// The parameters of the event that was selected.
    selected: Params,
    /// The type whose fields are shown.
    shown: SuggestedType,
    /// What was typed, also while another type was chosen.
    typed: BTreeMap<String, String>,
    last: LastSent,
}

impl LastSent {
    /// A form was sent with these values. What is as usual is not kept: it may be another for the
    /// next type.
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
    /// Begins with the type that was sent last, else with that of the selected event.
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

    /// The type whose fields are shown.
    pub(super) fn kind(&self) -> SuggestedType {
        self.shown
    }

    /// Another type was chosen; what was typed for the one before it stays at hand.
    pub(super) fn choose(&mut self, kind: SuggestedType, fields: Params) {
        for (name, value) in fields {
            if value != self.value(&name) {
                self.typed.insert(name, value);
            }
        }
        self.shown = kind;
    }

    /// The parameters of the type that is shown, and whether an empty one is left out.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'static str, bool)> {
        names(self.shown)
    }

    /// What a field holds before anybody types.
    pub(super) fn value(&self, name: &str) -> String {
        let known = self.typed.get(name);
        let known = known.or_else(|| self.last.values.get(name));
        known
            .cloned()
            .or_else(|| self.of_selected(name))
            .unwrap_or_else(|| usual(self.shown, name))
    }

    /// What the selected event says, as far as it would be true of the next one.
    fn of_selected(&self, name: &str) -> Option<String> {
        let kind = find(&self.selected, "type")?;
        let same_kind = match self.shown {
            Some(event) => event.as_str() == kind,
            None => kind.parse::<EventType>().is_err(),
        };
        let found = find(&self.selected, name).map(str::to_owned);
        match (name, self.shown) {
            // Of a query, or what this version does not know.
            (MORE, _) if same_kind => Some(self.beyond()),
            // Each type has a hook of its own.
            ("type" | "hook_id", _) if same_kind => found,
            // An item begins at its usual revision, and then each change adds one.
            (MORE | "type" | "hook_id", _) | ("item_revision_id", Some(EventType::ItemCreate)) => {
                None
            }
            ("item_revision_id", _) => {
                let next = found?.parse::<u64>().ok()?.checked_add(1)?;
                Some(next.to_string())
            }
            // What it does not name is not made up beside what it does.
            _ => found.or_else(|| is_optional(self.shown, name).then(String::new)),
        }
    }

    /// The selected event's parameters that have no field, as far as they fit into one.
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

/// The parameters that have a field, and whether an empty one is left out.
fn names(kind: SuggestedType) -> impl Iterator<Item = (&'static str, bool)> {
    let parameters = kind.map_or(&[] as &[_], |event| event.spec().parameters);
    let typed = kind.is_none().then_some(("type", false));
    let own = parameters.iter().map(|known| (known.name, known.optional));
    typed.into_iter().chain(own).chain([("hook_id", true)])
}

fn is_optional(kind: SuggestedType, name: &str) -> bool {
    names(kind).any(|(known, optional)| known == name && optional)
}

/// What Podio's event of this type would say.
fn usual(kind: SuggestedType, name: &str) -> String {
    let usual = kind.map(sample).unwrap_or_default();
    find(&usual, name).unwrap_or_default().to_owned()
}

fn find<'a>(params: &'a [Param], name: &str) -> Option<&'a str> {
    let named = params.iter().find(|(known, _)| known == name);
    named.map(|(_, value)| value.as_str())
}
