//! The filter line. Each key press tries the typed filter without its last term if that is not
//! complete yet. `enter` applies the filter if it is valid, and `esc` restores the former filter.

mod complete;
mod effect;
mod unfinished;
mod view;

use jiff::Timestamp;
use podtap_agent::history::{Filter, FilterError, SavedFilters};

use complete::Completion;
pub(crate) use complete::KnownValues;
pub(crate) use effect::{SearchAnswer, SearchEffect, run};
pub(crate) use view::view;

use crate::input::Input;
use crate::keymap::{Action, KeyPress};

/// Maximum number of remembered filters.
const REMEMBERED: usize = 50;

/// The filter of the list: as text, and while a person types it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// The current filter.
    text: String,
    /// The filter line, while it is open.
    line: Option<FilterLine>,
    /// The filters that were applied before, the latest last.
    past: Vec<String>,
    /// The filters that `@name` refers to.
    saved: SavedFilters,
    /// The values that occur in the history.
    seen: KnownValues,
}

/// The open filter line.
#[derive(Debug, Clone, Default)]
struct FilterLine {
    input: Input,
    before: String,
    fault: Option<FilterError>,
    /// Number of steps back in `past` at which the line is.
    recalled: usize,
}

/// How a key or pasted text changed the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FilterChange {
    None,
    /// The filter that was typed so far.
    Preview(Filter),
    /// The filter to apply from now on.
    Apply(Filter),
    /// The former filter applies again.
    Cancel,
}

impl Search {
    /// Creates a search without a filter. `saved_filters` are the filters that `@name` refers to.
    pub(crate) fn new(saved: SavedFilters) -> Self {
        Self {
            saved,
            ..Self::default()
        }
    }

    /// Applies a filter, and closes the line.
    pub(crate) fn choose(&mut self, text: &str, now: Timestamp) -> FilterChange {
        self.line = None;
        let Ok(filter) = Filter::parse(text, now, &self.saved) else {
            return FilterChange::None;
        };
        text.clone_into(&mut self.text);
        self.remember();
        FilterChange::Apply(filter)
    }

    /// Returns the current filter, as text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the filter that was applied before the one that is being typed, as text.
    pub(crate) fn text_before(&self) -> &str {
        let before = self.line.as_ref().map(|line| &line.before);
        before.unwrap_or(&self.text)
    }

    /// Returns whether the filter line receives the keys.
    pub(crate) fn is_open(&self) -> bool {
        self.line.is_some()
    }

    /// Opens the line with the current filter.
    pub(crate) fn open(&mut self) -> SearchEffect {
        let (input, before) = (Input::of(&self.text), self.text.clone());
        self.line = Some(FilterLine {
            input,
            before,
            ..FilterLine::default()
        });
        SearchEffect::FindValues
    }

    /// Removes the filter. Returns whether there was one.
    pub(crate) fn clear(&mut self) -> bool {
        self.line = None;
        !std::mem::take(&mut self.text).is_empty()
    }

    /// Stores the values that occur in the history.
    pub(crate) fn on_answer(&mut self, answer: SearchAnswer) {
        let SearchAnswer::Values(seen) = answer;
        self.seen = seen;
    }

    /// Handles a key in the line.
    pub(crate) fn key(
        &mut self,
        key: KeyPress,
        action: Option<Action>,
        now: Timestamp,
    ) -> FilterChange {
        let Some(line) = self.line.as_mut() else {
            return FilterChange::None;
        };
        match action {
            Some(Action::Back) => {
                self.text = std::mem::take(&mut line.before);
                self.line = None;
                return FilterChange::Cancel;
            }
            Some(Action::Open) => return self.keep(now),
            Some(Action::Up) => self.recall(1),
            Some(Action::Down) => self.recall(-1),
            Some(Action::NextTab) => {
                let completion = Completion::of(line.input.before(), &self.saved, &self.seen);
                line.input.insert(&completion.rest());
            }
            _ if line.input.key(key) => {}
            _ => return FilterChange::None,
        }
        self.preview(now)
    }

    /// Inserts pasted text into the line.
    pub(crate) fn paste(&mut self, text: &str, now: Timestamp) -> FilterChange {
        let Some(line) = self.line.as_mut() else {
            return FilterChange::None;
        };
        line.input.insert(text);
        self.preview(now)
    }

    /// Tries the complete terms of the line.
    fn preview(&mut self, now: Timestamp) -> FilterChange {
        let Some(line) = self.line.as_mut() else {
            return FilterChange::None;
        };
        let text = unfinished::whole(&line.input, &self.saved);
        let parsed = Filter::parse(&text, now, &self.saved);
        line.fault = parsed.as_ref().err().cloned();
        match parsed {
            Ok(filter) if self.text != text => {
                self.text = text;
                FilterChange::Preview(filter)
            }
            _ => FilterChange::None,
        }
    }

    /// Applies the filter and closes the line, unless the filter has an error.
    fn keep(&mut self, now: Timestamp) -> FilterChange {
        let Some(line) = self.line.as_mut() else {
            return FilterChange::None;
        };
        let text = line.input.text();
        match Filter::parse(&text, now, &self.saved) {
            Ok(filter) => {
                self.text = text;
                self.line = None;
                self.remember();
                FilterChange::Apply(filter)
            }
            Err(fault) => {
                line.fault = Some(fault);
                FilterChange::None
            }
        }
    }

    fn remember(&mut self) {
        if !self.text.is_empty() && self.past.last() != Some(&self.text) {
            self.past.push(self.text.clone());
            let excess = self.past.len().saturating_sub(REMEMBERED);
            self.past.drain(..excess);
        }
    }

    fn recall(&mut self, steps: isize) {
        let Some(line) = &mut self.line else { return };
        line.recalled = line
            .recalled
            .saturating_add_signed(steps)
            .min(self.past.len());
        let index = self.past.len() - line.recalled;
        line.input = Input::of(self.past.get(index).unwrap_or(&line.before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{now, saved_filters};

    fn filter(text: &str) -> Filter {
        Filter::parse(text, now(), &SavedFilters::default()).unwrap()
    }

    fn try_filter(text: &str) -> FilterChange {
        FilterChange::Preview(filter(text))
    }

    fn keep_filter(text: &str) -> FilterChange {
        FilterChange::Apply(filter(text))
    }

    fn paste(search: &mut Search, text: &str) -> FilterChange {
        search.key("ctrl-u".parse().unwrap(), None, now());
        search.paste(text, now())
    }

    fn act(search: &mut Search, action: Action) -> FilterChange {
        search.key("enter".parse().unwrap(), Some(action), now())
    }

    #[test]
    fn every_whole_filter_is_tried_as_it_is_typed() {
        let mut search = Search::default();
        search.open();
        assert_eq!(paste(&mut search, "status:5xx"), try_filter("status:5xx"));
        assert_eq!(paste(&mut search, "status:x"), FilterChange::None);
        assert!(search.line.as_ref().unwrap().fault.is_some());
        assert_eq!(
            search.text(),
            "",
            "the line was emptied, and that is a filter too"
        );
    }

    #[test]
    fn a_mistake_keeps_the_line_open_with_its_text_and_is_pointed_at() {
        for (text, column) in [("status:abc", 8), ("item:1 after:xyz", 14), ("@nosuch", 1)] {
            let mut search = Search::default();
            search.open();
            paste(&mut search, text);
            assert_eq!(act(&mut search, Action::Open), FilterChange::None, "{text}");
            let line = search.line.as_ref().expect("the line is still open");
            assert_eq!(line.input.text(), text);
            assert_eq!(line.fault.as_ref().map(|fault| fault.column), Some(column));
            act(&mut search, Action::Back);
            assert_eq!(search.text(), "", "no part of it is in force");
        }
    }

    #[test]
    fn half_a_term_changes_nothing() {
        let mut search = Search::default();
        search.open();
        let mut typed = Vec::new();
        for letter in "item:4711 type:item.* ".chars() {
            let key = match letter {
                ' ' => "space".to_owned(),
                letter => letter.to_string(),
            };
            typed.push((letter, search.key(key.parse().unwrap(), None, now())));
        }
        let changes = typed.iter().filter(|(_, it)| *it != FilterChange::None);
        let texts: Vec<char> = changes.map(|(letter, _)| *letter).collect();
        // A number after `item:` matches at once; `type:` matches only once it has a `*`.
        assert_eq!(texts, ['4', '7', '1', '1', '*']);
    }

    #[test]
    fn leaving_brings_back_what_was_in_force() {
        let mut search = Search::default();
        search.open();
        paste(&mut search, "status:5xx");
        assert_eq!(act(&mut search, Action::Open), keep_filter("status:5xx"));
        search.open();
        paste(&mut search, "item:4711");
        assert_eq!(act(&mut search, Action::Back), FilterChange::Cancel);
        assert_eq!(search.text(), "status:5xx");
        assert!(!search.is_open());
    }

    #[test]
    fn a_saved_filter_is_completed_and_is_in_force_by_its_name() {
        let mut search = Search::new(saved_filters(&[("errors", "status:5xx")]));
        search.open();
        assert_eq!(paste(&mut search, "@er"), FilterChange::None);
        assert_eq!(act(&mut search, Action::NextTab), try_filter("status:5xx"));
        assert_eq!(search.text(), "@errors");
        act(&mut search, Action::Back);
        assert_eq!(search.choose("@errors", now()), keep_filter("status:5xx"));
    }

    #[test]
    fn filters_used_before_come_back_with_up() {
        let mut search = Search::default();
        for text in ["status:5xx", "item:4711"] {
            search.open();
            paste(&mut search, text);
            act(&mut search, Action::Open);
        }
        search.open();
        act(&mut search, Action::Up);
        assert_eq!(act(&mut search, Action::Up), try_filter("status:5xx"));
        assert_eq!(act(&mut search, Action::Down), try_filter("item:4711"));
    }
}
