//! Finds unknown names in a filter. Each is treated as a parameter of the body, so a mistyped field
//! is not an error in the text: it finds nothing or, negated, everything.

use std::fmt;

use podtap_podio::EventType;

use super::{Filter, Term, Test};

/// Jaro-Winkler similarity (0 to 1) below which a name is not a mistyped field.
const NEAR: f64 = 0.85;

/// Similarity below which a suggestion would confuse
/// more than help, for a filter that found nothing.
const NEAR_ENOUGH: f64 = 0.75;

/// A name that is neither a field nor a known parameter of Podio's. Displays as a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownName<'a> {
    name: &'a str,
    near: Option<&'static str>,
}

impl fmt::Display for UnknownName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        write!(
            f,
            "`{name}` is not a field, nor a parameter that Podio is known to send"
        )?;
        match self.near {
            Some(near) => write!(f, "; did you mean `{near}:`?"),
            None => Ok(()),
        }
    }
}

/// A name that is nearly a field, and is searched as a parameter: a sentence with the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearlyField<'a> {
    name: &'a str,
    /// The field that it may be meant for.
    pub field: &'static str,
}

impl fmt::Display for NearlyField<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, field } = self;
        write!(
            f,
            "`{name}` is not a field, so it is searched as a parameter; did you mean `{field}:`?"
        )
    }
}

impl Filter {
    /// Returns each parameter of the filter whose name resembles a field.
    pub fn nearly_fields(&self) -> Vec<NearlyField<'_>> {
        let names = self.parameter_names().into_iter();
        let nearly = names.filter_map(|name| {
            let field = near(name)?;
            Some(NearlyField { name, field })
        });
        nearly.collect()
    }

    /// Returns the first name that is neither a field nor a known
    /// parameter, to be mentioned if the filter finds nothing.
    pub fn unknown_name(&self) -> Option<UnknownName<'_>> {
        let mut names = self.parameter_names().into_iter();
        let name = names.find(|name| !is_parameter(name))?;
        let near = nearest(name, Self::words().chain(parameters()), NEAR_ENOUGH);
        Some(UnknownName { name, near })
    }

    /// Returns the names of the filter's parameters, in order.
    fn parameter_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        add_names(&self.terms, &mut names);
        names
    }
}

fn add_names<'a>(terms: &'a [Term], names: &mut Vec<&'a str>) {
    for term in terms {
        match &term.test {
            Test::Param { name, .. } => names.push(name),
            Test::All(terms) => add_names(terms, names),
            _ => {}
        }
    }
}

fn parameters() -> impl Iterator<Item = &'static str> {
    let events = EventType::ALL.iter();
    events.flat_map(|event| event.spec().parameters.iter().map(|it| it.name))
}

/// Returns the most similar of these names, if it is similar enough.
fn nearest(
    name: &str,
    known: impl Iterator<Item = &'static str>,
    least: f64,
) -> Option<&'static str> {
    let scored = known.map(|near| (strsim::jaro_winkler(near, name), near));
    let (score, near) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= least).then_some(near)
}

/// Returns whether an event of Podio's may have a parameter of this name.
pub(super) fn is_parameter(name: &str) -> bool {
    parameters().any(|parameter| parameter == name)
}

/// Returns the field that a name resembles, unless Podio has a parameter of that name.
pub(super) fn near(name: &str) -> Option<&'static str> {
    if is_parameter(name) {
        return None;
    }
    nearest(name, Filter::words(), NEAR)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::history::SavedFilters;

    #[test]
    fn only_a_name_that_nothing_is_known_by_is_pointed_out() {
        let said = |text| {
            let filter =
                Filter::parse(text, Timestamp::UNIX_EPOCH, &SavedFilters::default()).unwrap();
            filter.unknown_name().map(|name| name.to_string())
        };
        for known in [
            "item:1",
            "external:B",
            "item_id:1",
            "type:x",
            "file_ids:3",
            "safari",
        ] {
            assert_eq!(said(known), None, "{known}");
        }
        for (text, name, near) in [
            ("item:1 stauts:500", "`stauts`", Some("`status:`")),
            ("-itm_id:7", "`itm_id`", Some("`item_id:`")),
            ("colour:red", "`colour`", None),
        ] {
            let said = said(text).unwrap();
            assert!(said.contains(name), "{said}");
            assert_eq!(said.contains("did you mean"), near.is_some(), "{said}");
            assert!(said.contains(near.unwrap_or_default()), "{said}");
        }
    }

    #[test]
    fn a_name_that_is_nearly_a_field_is_known() {
        for (name, expected) in [
            ("itme", Some("item")),
            ("stauts", Some("status")),
            ("typ", Some("type")),
            ("item_id", None),
            ("external_id", None),
            ("env", None),
            ("customer", None),
        ] {
            assert_eq!(near(name), expected, "{name}");
        }
    }
}
