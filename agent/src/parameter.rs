//! Describes a parameter in a word or two, from the catalogue of events.

use podtap_podio::{EventKind, ParameterKind};

/// Returns what a parameter of an event is; empty if its name says it.
pub fn meaning(event: &EventKind, name: &str) -> &'static str {
    let EventKind::Known(event) = event else {
        return "";
    };
    let mut parameters = event.spec().parameters.iter();
    let known = parameters.find(|parameter| parameter.name == name);
    match known.map(|parameter| parameter.kind) {
        Some(ParameterKind::Id) => "id",
        Some(ParameterKind::Revision) => "the item's revision",
        Some(ParameterKind::Text) => "text",
        Some(ParameterKind::List) => "list",
        Some(ParameterKind::Code) => "validation code",
        None if matches!(name, "type" | "hook_id") => "",
        None => "from the hook's URL, or new",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_podio_sends_is_told_from_what_a_url_adds() {
        let event = EventKind::from("item.update");
        for (name, words) in [
            ("item_id", "id"),
            ("item_revision_id", "the item's revision"),
            ("hook_id", ""),
            ("secret", "from the hook's URL, or new"),
        ] {
            assert_eq!(meaning(&event, name), words, "{name}");
        }
        assert_eq!(meaning(&EventKind::from("x.y"), "a"), "");
    }
}
