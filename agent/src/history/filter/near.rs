//! Names that are nearly a field of the language. Any other name is a parameter of the body, so a
//! mistyped field is no mistake of the text: it finds nothing, or negated everything.

use podtap_podio::EventType;

use super::{Filter, Term, Test};

/// Below this Jaro-Winkler similarity (0 to 1) it is a name of its own.
const NEAR: f64 = 0.85;

impl Filter {
    /// Each parameter that it asks for by a name that is nearly a field, with that field.
    pub fn nearly_fields(&self) -> Vec<(&str, &'static str)> {
        let mut found = Vec::new();
        search(&self.terms, &mut found);
        found
    }
}

fn search<'a>(terms: &'a [Term], found: &mut Vec<(&'a str, &'static str)>) {
    for term in terms {
        match &term.test {
            Test::Param { name, .. } => found.extend(near(name).map(|near| (name.as_str(), near))),
            Test::All(terms) => search(terms, found),
            _ => {}
        }
    }
}

/// Whether an event of Podio's may have a parameter of this name.
pub(super) fn is_parameter(name: &str) -> bool {
    let mut parameters = EventType::ALL
        .iter()
        .flat_map(|event| event.spec().parameters);
    parameters.any(|parameter| parameter.name == name)
}

/// The field that a name is nearly, unless Podio has a parameter of that name.
pub(super) fn near(name: &str) -> Option<&'static str> {
    if is_parameter(name) {
        return None;
    }
    let scored = Filter::words().map(|word| (strsim::jaro_winkler(word, name), word));
    let (score, near) = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (score >= NEAR).then_some(near)
}

#[cfg(test)]
mod tests {
    use super::*;

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
