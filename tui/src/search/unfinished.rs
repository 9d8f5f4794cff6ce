//! Decides which part of the filter line is complete. The word at the cursor may be an unfinished
//! term, which must not be applied.

use podtap_agent::history::{Filter, SavedFilters};
use podtap_podio::EventType;

use crate::input::Input;

/// Returns the text, without the word at the cursor if that word is certainly unfinished.
pub(super) fn whole(input: &Input, saved: &SavedFilters) -> String {
    let text = input.text().trim_end().to_owned();
    if text != input.before() {
        return text;
    }
    let start = text.rfind(char::is_whitespace).map_or(0, |space| {
        space
            + text
                .get(space..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)
    });
    let (before, word) = text.split_at(start);
    let in_quotes = text.matches('"').count() % 2 == 1;
    if in_quotes || !may_continue(word, saved) {
        return text;
    }
    before.trim_end().to_owned()
}

fn may_continue(word: &str, saved: &SavedFilters) -> bool {
    let bare = word.strip_prefix('-').unwrap_or(word);
    if let Some(name) = bare.strip_prefix('@') {
        let is_whole = saved.iter().any(|(known, _)| known == name);
        return !is_whole && saved.iter().any(|(known, _)| known.starts_with(name));
    }
    match bare.split_once(':') {
        None if bare.is_empty() => !word.is_empty(),
        None => Filter::words().any(|known| known.starts_with(bare)),
        Some((_, "")) => true,
        Some(("type", value)) => {
            let mut types = EventType::ALL.iter().map(|kind| kind.as_str());
            let is_whole = value.contains('*') || types.clone().any(|kind| kind == value);
            !is_whole && types.any(|kind| kind.starts_with(value))
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::saved_filters;

    #[test]
    fn the_word_at_the_cursor_counts_once_it_is_a_term() {
        let saved = saved_filters(&[("errors", "status:5xx")]);
        for (typed, counts) in [
            ("t", ""),
            ("type", ""),
            ("type:", ""),
            ("-", ""),
            ("-ty", ""),
            ("type:item", ""),
            ("type:item.upd", ""),
            ("type:item.update", "type:item.update"),
            ("type:item.*", "type:item.*"),
            ("type:my.own", "type:my.own"),
            ("item:4 s", "item:4"),
            ("item:4 s ", "item:4 s"),
            ("safari", "safari"),
            ("@err", ""),
            ("@errors", "@errors"),
            ("\"ty", "\"ty"),
        ] {
            assert_eq!(whole(&Input::of(typed), &saved), counts, "{typed:?}");
        }
    }
}
