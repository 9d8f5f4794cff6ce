//! Parses lists of event types: `item.*,comment.create`.

use crate::catalog::EventType;

/// A part of a list that matches no event type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` matches no event type: `podtap trigger --list` lists them")]
pub struct NothingSelected(String);

impl NothingSelected {
    /// Returns the part as it was typed.
    pub fn part(&self) -> &str {
        &self.0
    }
}

/// Returns the types that a list selects, each once, in the order of the catalogue. Parts
/// are separated by commas; `item.*` selects all types that begin with `item.`, and `*`
/// selects all. `hook.verify` is never selected, since no hook is created for it.
///
/// # Errors
/// Returns the first part that selects nothing.
pub fn select(list: &str) -> Result<Vec<EventType>, NothingSelected> {
    let parts: Vec<_> = list.split(',').map(str::trim).collect();
    for part in &parts {
        if !hookable().any(|event| selects(part, event)) {
            return Err(NothingSelected((*part).to_owned()));
        }
    }
    let selected = hookable().filter(|event| parts.iter().any(|part| selects(part, *event)));
    Ok(selected.collect())
}

fn hookable() -> impl Iterator<Item = EventType> {
    let all = EventType::ALL.iter().copied();
    all.filter(|event| *event != EventType::HookVerify)
}

fn selects(part: &str, event: EventType) -> bool {
    match part.strip_suffix('*') {
        Some("") => true,
        Some(group) => group.ends_with('.') && event.as_str().starts_with(group),
        None => part == event.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_single_types_are_selected_once_each() {
        let selected = select("item.*, comment.create,item.update").unwrap();
        let names: Vec<_> = selected.iter().map(|event| event.as_str()).collect();
        assert_eq!(
            names,
            [
                "item.create",
                "item.update",
                "item.delete",
                "comment.create"
            ]
        );
        assert_eq!(select("*").unwrap().len(), EventType::ALL.len() - 1);
    }

    #[test]
    fn a_part_that_selects_nothing_is_named() {
        for (list, part) in [
            ("item.*,itme.create", "itme.create"),
            ("hook.verify", "hook.verify"),
            ("ite*", "ite*"),
            ("", ""),
            ("item.create,", ""),
        ] {
            assert_eq!(
                select(list),
                Err(NothingSelected(part.to_owned())),
                "{list}"
            );
        }
    }
}
