//! A form over the panes: a column of fields, in each of which a person types or chooses.
//! A feature defines the fields and their meaning with a struct of its own; this module
//! only lets a person fill them in.

mod choice;
mod text;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

pub(crate) use choice::Choice;
pub(crate) use text::Text;

use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::keymap::{Action, Context, KeyPress};
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::theme::Role;

/// Cells of the window.
const WIDTH: u16 = 72;

/// Cells of a label.
const LABEL: usize = 18;

/// Rows for the error.
const FAULT: usize = 2;

/// A field of a form.
pub(crate) trait FormField {
    /// Returns the text before the field.
    fn label(&self) -> &str;

    /// Returns whether the form starts in this field.
    fn has_autofocus(&self) -> bool;

    /// Handles a key in the field. Returns whether another option is chosen now.
    fn key(&mut self, key: KeyPress) -> bool;

    /// Inserts pasted text.
    fn paste(&mut self, text: &str);

    /// Returns the value in `room` cells.
    fn value(&self, has_keys: bool, room: usize) -> Line;
}

/// The form of a feature: a struct with a member for each field.
pub(crate) trait Fields {
    /// Returns the title of the form.
    fn title(&self) -> &str;

    /// Returns what submitting the form does, in a word: `replay`.
    fn verb(&self) -> &'static str;

    /// Returns the fields from top to bottom.
    fn fields(&self) -> Vec<&dyn FormField>;

    /// Returns the fields from top to bottom, for changes.
    fn fields_mut(&mut self) -> Vec<&mut dyn FormField>;

    /// Updates the fields that depend on a choice, after another option was chosen.
    fn follow_choice(&mut self) {}
}

/// Lists the members of a form that are fields, from top to bottom.
macro_rules! fields {
    ($($field:ident),+) => {
        fn fields(&self) -> Vec<&dyn $crate::widget::form::FormField> {
            vec![$(&self.$field),+]
        }

        fn fields_mut(&mut self) -> Vec<&mut dyn $crate::widget::form::FormField> {
            vec![$(&mut self.$field),+]
        }
    };
}
pub(crate) use fields;

/// The open form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form<F> {
    fields: F,
    /// The index of the field that receives the keys.
    at: usize,
    /// Why the form could not be submitted.
    fault: Option<String>,
}

impl<F: Fields> Form<F> {
    /// Creates a form with these fields.
    pub(crate) fn new(fields: F) -> Self {
        let mut all = fields.fields().into_iter();
        let at = all.position(FormField::has_autofocus).unwrap_or(0);
        Self {
            fields,
            at,
            fault: None,
        }
    }

    /// Returns the fields with their current values.
    pub(crate) fn fields(&self) -> &F {
        &self.fields
    }

    /// Returns what submitting the form does, in a word.
    pub(crate) fn verb(&self) -> &'static str {
        self.fields.verb()
    }

    /// Returns whether the form has more than one field.
    pub(crate) fn is_long(&self) -> bool {
        self.count() > 1
    }

    fn count(&self) -> usize {
        self.fields.fields().len()
    }

    /// Sets the error to show, which stays until a person types.
    #[must_use]
    pub(crate) fn with_fault(mut self, fault: impl Into<String>) -> Self {
        self.fault = Some(fault.into());
        self
    }

    /// Handles a key. Returns whether to submit the form.
    pub(crate) fn key(&mut self, key: KeyPress, action: Option<Action>) -> bool {
        let last = self.count().saturating_sub(1);
        match action {
            Some(Action::Open) => return true,
            Some(Action::Down | Action::NextTab) if self.at == last => self.at = 0,
            Some(Action::Down | Action::NextTab) => self.at += 1,
            Some(Action::Up | Action::PreviousTab) if self.at == 0 => self.at = last,
            Some(Action::Up | Action::PreviousTab) => self.at -= 1,
            _ => self.edit(key),
        }
        false
    }

    fn edit(&mut self, key: KeyPress) {
        self.fault = None;
        let is_other = self.current().is_some_and(|field| field.key(key));
        if is_other {
            self.fields.follow_choice();
            self.at = self.at.min(self.count().saturating_sub(1));
        }
    }

    fn current(&mut self) -> Option<&mut dyn FormField> {
        self.fields.fields_mut().into_iter().nth(self.at)
    }

    /// Inserts pasted text into the current field.
    pub(crate) fn paste(&mut self, text: &str) {
        self.fault = None;
        if let Some(field) = self.current() {
            field.paste(text);
        }
    }

    /// Returns the area of the form.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        centered(screen, WIDTH, cells(self.count() + FAULT + 3))
    }

    /// Returns the index of the first visible field, and the number of visible fields,
    /// in a window of `lines` lines. The last lines are a gap and the error. The
    /// current field is always visible.
    fn in_sight(&self, lines: usize) -> (usize, usize) {
        let height = lines.saturating_sub(FAULT + 1).max(1);
        ((self.at + 1).saturating_sub(height), height)
    }

    /// Moves to the field on a line that was clicked, in a window of `lines` lines.
    /// Returns whether there is a field.
    pub(crate) fn click(&mut self, line: usize, lines: usize) -> bool {
        let (first, height) = self.in_sight(lines);
        let field = first + line;
        let is_there = line < height && field < self.count();
        if is_there {
            self.at = field;
        }
        is_there
    }

    /// Draws the form over `screen`.
    pub(crate) fn view(&self, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
        let area = self.area(screen);
        Clear.render(area, buffer);
        let does = format!("{}s", self.verb());
        let keys = [
            (Action::NextTab, "next"),
            (Action::Open, does.as_str()),
            (Action::Back, "leaves"),
        ];
        // A form with one field has no key for the next field.
        let keys = keys.get(usize::from(!self.is_long())..).unwrap_or_default();
        let hint = env.keymap.hints(Context::Typing, keys);
        let titles = Titles {
            left: Line::of(Role::Strong, self.fields.title()),
            right: Line::of(Role::Accent, hint),
            ..Titles::default()
        };
        let focused = true;
        Frame { focused, titles }.draw(area, env.theme, buffer);
        let area = inner(area);
        let (first, height) = self.in_sight(area.height.into());
        let width = usize::from(area.width);
        let fields = self.fields.fields().into_iter().enumerate();
        let fields = fields.skip(first).take(height);
        for ((index, field), row) in fields.zip(area.rows()) {
            line(field, index == self.at, width).draw(row, env.theme, buffer);
        }
        let fault = Line::of(Role::Failed, self.fault.as_deref().unwrap_or_default());
        let rows = area.rows().skip(height + 1);
        for (line, row) in fault.wrap(width).iter().zip(rows) {
            line.draw(row, env.theme, buffer);
        }
    }
}

/// Returns the line of a field.
fn line(field: &dyn FormField, has_keys: bool, width: usize) -> Line {
    let label = if has_keys { Role::Accent } else { Role::Quiet };
    let value = field.value(has_keys, width.saturating_sub(LABEL));
    Line::new().column(label, field.label(), LABEL).join(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct SampleForm {
        event: Choice<usize>,
        item: Text,
        rest: Text,
        followed: usize,
    }

    impl Fields for SampleForm {
        fields!(event, item, rest);

        fn title(&self) -> &'static str {
            "Trigger"
        }

        fn verb(&self) -> &'static str {
            "send"
        }

        fn follow_choice(&mut self) {
            self.followed += 1;
        }
    }

    fn form() -> Form<SampleForm> {
        let kinds = ["item.create", "item.update", "comment.create"];
        let kinds = kinds.map(str::to_owned).into_iter().enumerate();
        Form::new(SampleForm {
            event: Choice::new("Event", kinds.collect(), 0),
            item: Text::new("item_id", "7", "left out"),
            rest: Text::new("tag", "", "left out"),
            followed: 0,
        })
    }

    fn press(form: &mut Form<SampleForm>, keys: &str) -> bool {
        let keymap = crate::keymap::Keymap::default();
        let press = |form: &mut Form<SampleForm>, key: &str| {
            let key: KeyPress = key.parse().unwrap();
            let action = keymap.resolve(&[Context::Typing], key);
            form.key(key, action.filter(|_| key.typed_char().is_none()))
        };
        let pressed = keys.split(' ').map(|key| press(form, key));
        pressed.last().unwrap()
    }

    #[test]
    fn fields_are_typed_or_chosen_and_walked_in_a_ring() {
        let mut form = form();
        assert!(!press(&mut form, "right"));
        assert_eq!(form.fields.event.chosen_option(), Some(&1));
        assert_eq!(form.fields.followed, 1);
        press(&mut form, "tab 8 tab x shift-tab backspace");
        let SampleForm { item, rest, .. } = form.fields();
        assert_eq!((item.text(), rest.text()), ("7".into(), "x".into()));
        press(&mut form, "up up");
        assert_eq!(form.at, 2);
        assert!(press(&mut form, "enter"));
        assert_eq!(form.fields.followed, 1, "nothing else was chosen");
    }

    #[test]
    fn typing_on_a_choice_goes_to_what_begins_so_or_holds_it() {
        for (keys, chosen) in [("c o", 2), ("u p d", 1), ("c c", 2), ("x", 0), ("left", 2)] {
            let mut form = form();
            press(&mut form, keys);
            assert_eq!(form.fields.event.chosen_option(), Some(&chosen), "{keys}");
        }
    }

    #[test]
    fn it_begins_where_a_field_says_so() {
        let mut fields = form().fields;
        assert_eq!(form().at, 0);
        fields.rest = Text::new("tag", "", "").with_autofocus();
        assert_eq!(Form::new(fields).at, 2);
    }

    #[test]
    fn what_cannot_be_is_told_until_something_is_typed() {
        let mut form = form().with_fault("no such item");
        assert!(!press(&mut form, "tab"));
        assert!(form.fault.is_some());
        press(&mut form, "1");
        assert_eq!(form.fault, None);
    }
}
