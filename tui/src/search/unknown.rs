//! A word before a colon that nothing is known by: most likely mistyped, which nobody hears of where
//! it only finds nothing.

use podtap_agent::history::Filter;
use podtap_agent::history::filter::{Term, Test};
use podtap_podio::EventType;

/// Below this Jaro-Winkler similarity (0 to 1) a suggestion confuses more than it helps.
const NEAR: f64 = 0.75;

/// What to say of the first such word of a filter.
pub(crate) fn unknown(filter: &Filter) -> Option<String> {
    let name = filter.terms().iter().find_map(in_term)?;
    let known = Filter::words().chain(parameters());
    let scored = known.map(|near| (strsim::jaro_winkler(near, name), near));
    let nearest = scored
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let cure = nearest.map_or_else(String::new, |(_, near)| {
        format!("; did you mean `{near}:`?")
    });
    Some(format!(
        "`{name}` is not a field, nor a parameter that Podio is known to send{cure}"
    ))
}

fn in_term(term: &Term) -> Option<&str> {
    match &term.test {
        Test::Param { name, .. } if !parameters().any(|known| known == name) => Some(name),
        Test::All(terms) => terms.iter().find_map(in_term),
        _ => None,
    }
}

fn parameters() -> impl Iterator<Item = &'static str> {
    let events = EventType::ALL.iter();
    events.flat_map(|event| event.spec().parameters.iter().map(|it| it.name))
}

#[cfg(test)]
mod tests {
    use podtap_agent::history::Saved;

    use super::*;
    use crate::testing::now;

    #[test]
    fn only_a_word_that_nothing_is_known_by_is_told_of() {
        let told = |text| unknown(&Filter::parse(text, now(), &Saved::default()).unwrap());
        for known in [
            "item:1",
            "external:B",
            "item_id:1",
            "type:x",
            "file_ids:3",
            "safari",
        ] {
            assert_eq!(told(known), None, "{known}");
        }
        let told = told("item:1 stauts:500").unwrap();
        assert!(
            told.contains("`stauts`") && told.contains("`status:`"),
            "{told}"
        );
    }
}
