//! Replaces default keys by the keys of the configuration, and returns the whole keymap,
//! or the reason why it is refused.
//!
//! An override is for one place, or for all places in which the action has keys. An override wins
//! over a default key, in its own place and in the nearer places that would hide it. Two overrides
//! that contradict each other are refused. Every place keeps a way out, and `ctrl-c` always quits.

use super::{Action, Binding, Context, KeyOverride, KeyPress, Keymap, KeymapError};

/// The actions that must have a key. Without one, the place could not be used or left.
const NEEDED: &[(Context, Action)] = &[
    (Context::List, Action::Quit),
    (Context::Detail, Action::Back),
    (Context::Modal, Action::Back),
    (Context::Confirm, Action::Accept),
    (Context::Confirm, Action::Back),
    (Context::Hooks, Action::Back),
    (Context::Typing, Action::Open),
    (Context::Typing, Action::Back),
];

impl Keymap {
    /// Returns the default keymap with these overrides.
    ///
    /// # Errors
    /// The reason, and the index of the override that causes it, if a single one does.
    pub fn with_overrides(overrides: &[KeyOverride]) -> Result<Self, (Option<usize>, KeymapError)> {
        let default = Self::default();
        // For each binding, the override that sets its keys: the last one for the place,
        // otherwise the last one for all places.
        let mut chosen: Vec<Option<(usize, Vec<KeyPress>)>> = vec![None; default.0.len()];
        for general in [true, false] {
            let of_kind =
                |(_, key_override): &(usize, &KeyOverride)| key_override.place.is_none() == general;
            for (index, key_override) in overrides.iter().enumerate().filter(of_kind) {
                let fail = |error| (Some(index), error);
                let keys = key_override.parse().map_err(fail)?;
                let bindings = bindings(&default, key_override).map_err(fail)?;
                for at in bindings {
                    let (Some(binding), Some(slot)) = (default.0.get(at), chosen.get_mut(at))
                    else {
                        continue;
                    };
                    let keys = fitting(binding, key_override, &keys).map_err(fail)?;
                    *slot = Some((index, keys));
                }
            }
        }
        let mut bindings = default.0;
        give(&mut bindings, &chosen)?;
        for &(place, action) in NEEDED {
            let here = |binding: &Binding| binding.context == place && binding.action == action;
            let at = bindings.iter().position(here);
            let lost = at.is_some_and(|at| bindings.get(at).is_some_and(|b| b.keys.is_empty()));
            if lost {
                let key_override = at.and_then(|at| chosen.get(at)?.as_ref());
                return Err((
                    key_override.map(|(index, _)| *index),
                    KeymapError::NoWayOut { place, action },
                ));
            }
        }
        Ok(Self(bindings))
    }
}

/// Returns the indexes of the bindings that an override applies to.
fn bindings(default: &Keymap, key_override: &KeyOverride) -> Result<Vec<usize>, KeymapError> {
    let action = Action::ALL
        .iter()
        .find(|action| action.name() == key_override.action);
    let action = action.ok_or_else(|| KeymapError::UnknownAction(key_override.action.clone()))?;
    let own = |(_, binding): &(usize, &Binding)| binding.action == *action;
    let wanted = |context| key_override.place.is_none_or(|place| place == context);
    let found: Vec<usize> = default
        .0
        .iter()
        .enumerate()
        .filter(|entry| own(entry) && wanted(entry.1.context))
        .map(|(at, _)| at)
        .collect();
    if found.is_empty() {
        let all = default.0.iter().filter(|binding| binding.action == *action);
        let places: Vec<&str> = all.map(|binding| binding.context.name()).collect();
        return Err(KeymapError::Elsewhere {
            action: action.name(),
            places: places.join(", "),
        });
    }
    Ok(found)
}

/// Returns the keys that an override gives to a binding. If the override is for all places, keys
/// that type a letter are left out in two contexts: while a person types, where they are text, and
/// for quitting everywhere, where typing would end the program.
fn fitting(
    binding: &Binding,
    key_override: &KeyOverride,
    keys: &[KeyPress],
) -> Result<Vec<KeyPress>, KeymapError> {
    let quits_everywhere = (binding.context, binding.action) == (Context::Global, Action::Quit);
    let is_typing = binding.context == Context::Typing;
    let is_for_all = key_override.place.is_none();
    let text = keys.iter().find(|key| key.typed_char().is_some());
    if let Some(text) = text.filter(|_| is_typing && !is_for_all) {
        return Err(KeymapError::Text(*text));
    }
    let drops_text = is_for_all && (is_typing || quits_everywhere);
    let fits = |key: &&KeyPress| !drops_text || key.typed_char().is_none();
    let mut fit: Vec<KeyPress> = keys.iter().filter(fits).copied().collect();
    let is_nothing_left = fit.is_empty() && !keys.is_empty();
    if quits_everywhere || is_nothing_left {
        let own = binding.keys.iter().filter(|key| !keys.contains(key));
        fit.extend(own);
    }
    Ok(fit)
}

/// Sets the chosen keys. New keys of an action are removed from the default
/// bindings that would hide or repeat them.
fn give(
    bindings: &mut [Binding],
    chosen: &[Option<(usize, Vec<KeyPress>)>],
) -> Result<(), (Option<usize>, KeymapError)> {
    let mut given: Vec<(usize, Context, Action, Vec<KeyPress>)> = Vec::new();
    for (binding, chosen) in bindings.iter_mut().zip(chosen) {
        if let Some((index, keys)) = chosen {
            let new = keys.iter().filter(|key| !binding.keys.contains(key));
            let new = new.copied().collect();
            given.push((*index, binding.context, binding.action, new));
            binding.keys.clone_from(keys);
        }
    }
    for (index, place, action, keys) in given {
        let others = bindings.iter_mut().zip(chosen);
        for (binding, chosen) in others.filter(|(binding, _)| binding.action != action) {
            let shared = binding.keys.iter().find(|key| keys.contains(key)).copied();
            let Some(key) = shared else { continue };
            match chosen {
                None if binding.context.shadows(place) => {
                    binding.keys.retain(|key| !keys.contains(key));
                }
                Some(_) if binding.context.shadows(place) || place.shadows(binding.context) => {
                    let (other, nearer) = (binding.action.name(), binding.context.shadows(place));
                    let place = if nearer { binding.context } else { place };
                    return Err((Some(index), KeymapError::Twice { key, other, place }));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[Context] = &[Context::List, Context::Browse, Context::Global];
    const DETAIL: &[Context] = &[Context::Detail, Context::Browse, Context::Global];
    const TYPING: &[Context] = &[Context::Typing, Context::Global];

    /// Parses overrides in a short notation such as `replay=ctrl-r,x detail.back=`.
    fn with_overrides(text: &str) -> Result<Keymap, String> {
        let key_override = |word: &str| {
            let (name, keys) = word.split_once('=').unwrap();
            let (place, action) = name.split_once('.').unwrap_or(("", name));
            KeyOverride {
                place: Context::from_name(place),
                action: action.to_owned(),
                keys: keys
                    .split(',')
                    .filter(|key| !key.is_empty())
                    .map(str::to_owned)
                    .collect(),
            }
        };
        let overrides: Vec<KeyOverride> = text.split_whitespace().map(key_override).collect();
        Keymap::with_overrides(&overrides).map_err(|(_, error)| error.to_string())
    }

    fn does(keymap: &Keymap, place: &[Context], key: &str) -> Option<Action> {
        keymap.resolve(place, key.parse().unwrap())
    }

    #[test]
    fn what_is_wished_wins_over_defaults_in_its_place_and_nearer() {
        let keymap = with_overrides("replay=ctrl-r,h mark-all=j").unwrap();
        assert_eq!(does(&keymap, LIST, "ctrl-r"), Some(Action::Replay));
        assert_eq!(does(&keymap, LIST, "r"), None);
        // By default, `h` is `hooks` in the list and `back` in the detail.
        assert_eq!(does(&keymap, LIST, "h"), Some(Action::Replay));
        assert_eq!(does(&keymap, DETAIL, "h"), Some(Action::Replay));
        assert_eq!(does(&keymap, DETAIL, "esc"), Some(Action::Back));
        // The override of `mark-all` in the list does not change `down` in the detail.
        assert_eq!(does(&keymap, LIST, "j"), Some(Action::MarkAll));
        assert_eq!(does(&keymap, DETAIL, "j"), Some(Action::Down));
    }

    #[test]
    fn a_nearer_wish_hides_a_default_that_is_farther() {
        let keymap = with_overrides("mark-all=r").unwrap();
        assert_eq!(does(&keymap, LIST, "r"), Some(Action::MarkAll));
        assert_eq!(does(&keymap, DETAIL, "r"), Some(Action::Replay));
    }

    #[test]
    fn a_wish_may_be_for_one_place_or_for_none() {
        let keymap = with_overrides("detail.back=x mark=").unwrap();
        assert_eq!(does(&keymap, DETAIL, "x"), Some(Action::Back));
        assert_eq!(does(&keymap, DETAIL, "esc"), None);
        assert_eq!(does(&keymap, TYPING, "esc"), Some(Action::Back));
        assert_eq!(does(&keymap, LIST, "m"), None);
    }

    #[test]
    fn letters_are_text_while_typing_and_do_not_quit_everywhere() {
        let keymap = with_overrides("open=o,ctrl-o back=b quit=Q,ctrl-q").unwrap();
        assert_eq!(does(&keymap, LIST, "o"), Some(Action::Open));
        assert_eq!(does(&keymap, TYPING, "o"), None);
        assert_eq!(does(&keymap, TYPING, "ctrl-o"), Some(Action::Open));
        assert_eq!(does(&keymap, TYPING, "esc"), Some(Action::Back));
        assert_eq!(does(&keymap, LIST, "Q"), Some(Action::Quit));
        assert_eq!(does(&keymap, DETAIL, "Q"), None);
        for key in ["ctrl-q", "ctrl-c"] {
            assert_eq!(does(&keymap, TYPING, key), Some(Action::Quit), "{key}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_reason() {
        for (overrides, why) in [
            ("fly=x", "`fly` is not an action"),
            ("replay=xx", "is not a key"),
            ("replay=ctrl-m", "write `enter`"),
            ("replay=ctrl-c", "`ctrl-c` always quits"),
            ("list.replay=x", "only in: both"),
            ("typing.open=o", "`o` is text while you type"),
            ("replay=x mark=x", "`x` is given to `"),
            ("replay=r mark=r", "gets it in the list"),
            ("down=n find-next=n", "gets it in the detail"),
            ("quit=", "`quit` needs a key in the list"),
            ("back=", "`back` needs a key in the detail"),
            ("down=esc", "`back` needs a key while typing"),
            ("question.accept=", "`accept` needs a key when asked"),
            ("mark=1,2,3,4,5,6,7,8,9", "at most 8 keys"),
        ] {
            let error = with_overrides(overrides).unwrap_err();
            assert!(error.contains(why), "{overrides}: {error}");
        }
        assert!(
            with_overrides("quit=x mark=q").is_ok(),
            "in whichever order"
        );
    }

    #[test]
    fn a_key_beside_the_default_ones_takes_nothing_that_was_shared_before() {
        let keymap = with_overrides("help=?,f2").unwrap();
        let window = [Context::Modal, Context::Global];
        assert_eq!(does(&keymap, &window, "?"), Some(Action::Back));
        assert_eq!(does(&keymap, LIST, "f2"), Some(Action::Help));
    }

    #[test]
    fn the_wishes_of_a_keymap_make_it() {
        for keymap in [
            Keymap::default(),
            with_overrides("replay=h quit=Q").unwrap(),
        ] {
            let overrides: Vec<KeyOverride> = keymap
                .overrides()
                .into_iter()
                .map(|(key_override, _)| key_override)
                .collect();
            assert!(overrides.len() >= Action::ALL.len());
            assert_eq!(Keymap::with_overrides(&overrides), Ok(keymap));
        }
    }

    #[test]
    fn no_single_wish_leaves_a_place_that_cannot_be_left() {
        for action in Action::ALL {
            for key in Keymap::default().0.iter().flat_map(|b| b.keys.clone()) {
                let Ok(keymap) = with_overrides(&format!("{}={key}", action.name())) else {
                    continue;
                };
                for (place, action) in NEEDED {
                    let key = keymap.key_in(*place, *action).unwrap();
                    assert_eq!(
                        keymap.resolve(&[*place, Context::Global], key),
                        Some(*action)
                    );
                }
            }
        }
    }
}
