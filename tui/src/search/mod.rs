//! The filter line: what is typed becomes the list's filter with every key, as long as it is one.
//! Leaving with `esc` brings back the filter from before.

mod complete;
mod view;

use jiff::Timestamp;
use podtap_agent::history::{Filter, FilterError, Saved};

use complete::Completion;
pub(crate) use view::view;

use crate::input::Input;
use crate::keymap::{Action, Key};

/// Filters remembered.
const REMEMBERED: usize = 50;

/// The filter of the list: as text, and while it is typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// The filter in force.
    text: String,
    /// The line, while it is open.
    line: Option<Typing>,
    /// Filters used before, the latest last.
    past: Vec<String>,
    /// What `@name` stands for.
    saved: Saved,
}

/// The open line.
#[derive(Debug, Clone, Default)]
struct Typing {
    input: Input,
    before: String,
    fault: Option<FilterError>,
    /// How many steps back in the past the line is.
    recalled: usize,
}

impl Search {
    /// No filter yet; `saved` is what `@name` stands for.
    pub(crate) fn new(saved: Saved) -> Self {
        Self {
            saved,
            ..Self::default()
        }
    }

    /// Puts a filter in force, whatever is being typed. Returns it, if it is another one.
    pub(crate) fn choose(&mut self, text: &str, now: Timestamp) -> Option<Filter> {
        self.line = None;
        let filter = self.apply(text.to_owned(), now);
        self.remember();
        filter
    }

    /// The filter in force, as text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the line has the keys.
    pub(crate) fn is_open(&self) -> bool {
        self.line.is_some()
    }

    /// Opens the line on the filter in force.
    pub(crate) fn open(&mut self) {
        let (input, before) = (Input::of(&self.text), self.text.clone());
        self.line = Some(Typing {
            input,
            before,
            ..Typing::default()
        });
    }

    /// Takes the filter away; says whether there was one.
    pub(crate) fn clear(&mut self) -> bool {
        self.line = None;
        !std::mem::take(&mut self.text).is_empty()
    }

    /// A key was pressed in the line. Returns the filter that is in force from now on, if it is
    /// another one.
    pub(crate) fn key(
        &mut self,
        key: Key,
        action: Option<Action>,
        now: Timestamp,
    ) -> Option<Filter> {
        let line = self.line.as_mut()?;
        match action {
            Some(Action::Back) => {
                let before = std::mem::take(&mut line.before);
                self.line = None;
                return self.apply(before, now);
            }
            Some(Action::Open) => {
                self.remember();
                self.line = None;
                return None;
            }
            Some(Action::Up) => self.recall(1),
            Some(Action::Down) => self.recall(-1),
            Some(Action::NextTab) => {
                let rest = Completion::of(line.input.before(), &self.saved).rest();
                line.input.insert(&rest);
            }
            _ if line.input.key(key) => {}
            _ => return None,
        }
        self.typed(now)
    }

    /// Text was pasted into the line.
    pub(crate) fn paste(&mut self, text: &str, now: Timestamp) -> Option<Filter> {
        self.line.as_mut()?.input.insert(text);
        self.typed(now)
    }

    /// Puts the text of the line in force, where it is a filter.
    fn typed(&mut self, now: Timestamp) -> Option<Filter> {
        let text = self.line.as_ref()?.input.text();
        self.apply(text, now)
    }

    fn apply(&mut self, text: String, now: Timestamp) -> Option<Filter> {
        let parsed = Filter::parse(&text, now, &self.saved);
        if let Some(line) = &mut self.line {
            line.fault = parsed.as_ref().err().cloned();
        }
        let filter = parsed.ok()?;
        let changed = self.text != text;
        self.text = text;
        changed.then_some(filter)
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
    use crate::testing::{now, saved};

    fn filter(text: &str) -> Option<Filter> {
        Filter::parse(text, now(), &Saved::default()).ok()
    }

    fn paste(search: &mut Search, text: &str) -> Option<Filter> {
        search.key("ctrl-u".parse().unwrap(), None, now());
        search.paste(text, now())
    }

    fn act(search: &mut Search, action: Action) -> Option<Filter> {
        search.key("enter".parse().unwrap(), Some(action), now())
    }

    #[test]
    fn every_whole_filter_is_in_force_as_it_is_typed() {
        let mut search = Search::default();
        search.open();
        assert_eq!(paste(&mut search, "status:5xx"), filter("status:5xx"));
        assert_eq!(paste(&mut search, "status:x"), None);
        assert!(search.line.as_ref().unwrap().fault.is_some());
        assert_eq!(
            search.text(),
            "",
            "the line was emptied, and that is a filter too"
        );
    }

    #[test]
    fn leaving_brings_back_what_was_in_force() {
        let mut search = Search::default();
        search.open();
        paste(&mut search, "status:5xx");
        act(&mut search, Action::Open);
        search.open();
        paste(&mut search, "item:4711");
        assert_eq!(act(&mut search, Action::Back), filter("status:5xx"));
        assert!(!search.is_open());
    }

    #[test]
    fn a_saved_filter_is_completed_and_is_in_force_by_its_name() {
        let mut search = Search::new(saved(&[("errors", "status:5xx")]));
        search.open();
        assert_eq!(paste(&mut search, "@er"), None);
        assert_eq!(act(&mut search, Action::NextTab), filter("status:5xx"));
        assert_eq!(search.text(), "@errors ");
        act(&mut search, Action::Back);
        assert_eq!(search.choose("@errors", now()), filter("status:5xx"));
        assert_eq!(search.choose("@errors", now()), None);
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
        assert_eq!(act(&mut search, Action::Up), filter("status:5xx"));
        assert_eq!(act(&mut search, Action::Down), filter("item:4711"));
    }
}
