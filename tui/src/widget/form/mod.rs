//! A form over the panes: fields under each other, each typed or chosen. Which fields there are, and
//! what they mean, a feature says with a struct of its own; this one only lets them be filled in.

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

/// Rows for what cannot be.
const FAULT: usize = 2;

/// A field of a form.
pub(crate) trait FormField {
    /// What stands before it.
    fn label(&self) -> &str;

    /// Whether the form begins here.
    fn has_autofocus(&self) -> bool;

    /// A key was pressed in it; says whether another option is chosen now.
    fn key(&mut self, key: KeyPress) -> bool;

    /// Text was pasted into it.
    fn paste(&mut self, text: &str);

    /// Its value in `room` cells.
    fn value(&self, has_keys: bool, room: usize) -> Line;
}

/// A feature's form: a struct with a member for each field.
pub(crate) trait Fields {
    /// What stands above the form.
    fn title(&self) -> &str;

    /// What submitting it does, in a word: `replay`.
    fn verb(&self) -> &'static str;

    /// The fields from top to bottom.
    fn fields(&self) -> Vec<&dyn FormField>;

    /// The same, to be filled in.
    fn fields_mut(&mut self) -> Vec<&mut dyn FormField>;

    /// Another option of a field was chosen: other fields may depend on it.
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
    /// The field that has the keys.
    at: usize,
    /// What cannot be, after it was submitted.
    fault: Option<String>,
}

impl<F: Fields> Form<F> {
    /// A form with these fields.
    pub(crate) fn new(fields: F) -> Self {
        let mut all = fields.fields().into_iter();
        let at = all.position(FormField::has_autofocus).unwrap_or(0);
        Self {
            fields,
            at,
            fault: None,
        }
    }

    /// What was filled in so far.
    pub(crate) fn fields(&self) -> &F {
        &self.fields
    }

    /// What submitting it does, in a word.
    pub(crate) fn verb(&self) -> &'static str {
        self.fields.verb()
    }

    /// Whether there is a next field to go to.
    pub(crate) fn is_long(&self) -> bool {
        self.count() > 1
    }

    fn count(&self) -> usize {
        self.fields.fields().len()
    }

    /// Says what cannot be; it stays until something is typed.
    #[must_use]
    pub(crate) fn refused(mut self, fault: impl Into<String>) -> Self {
        self.fault = Some(fault.into());
        self
    }

    /// A key was pressed; says whether the form is to be submitted.
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

    /// Text was pasted into the field that is being typed.
    pub(crate) fn paste(&mut self, text: &str) {
        self.fault = None;
        if let Some(field) = self.current() {
            field.paste(text);
        }
    }

    /// Where the form is.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        centered(screen, WIDTH, cells(self.count() + FAULT + 3))
    }

    /// The first field in sight, and how many are, on so many lines. The last of them are a gap
    /// and what cannot be; the field at hand stays in sight.
    fn in_sight(&self, lines: usize) -> (usize, usize) {
        let height = lines.saturating_sub(FAULT + 1).max(1);
        ((self.at + 1).saturating_sub(height), height)
    }

    /// A line of the form was clicked, of so many: the field there has the keys. Says whether
    /// there is one.
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
        // Of one field there is no next.
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

/// A field as it is drawn.
fn line(field: &dyn FormField, has_keys: bool, width: usize) -> Line {
    let label = if has_keys { Role::Accent } else { Role::Quiet };
    let value = field.value(has_keys, width.saturating_sub(LABEL));
    Line::new().column(label, field.label(), LABEL).join(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample {
        event: Choice<usize>,
        item: Text,
        rest: Text,
        followed: usize,
    }

    impl Fields for Sample {
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

    fn form() -> Form<Sample> {
        let kinds = ["item.create", "item.update", "comment.create"];
        let kinds = kinds.map(str::to_owned).into_iter().enumerate();
        Form::new(Sample {
            event: Choice::new("Event", kinds.collect(), 0),
            item: Text::new("item_id", "7", "left out"),
            rest: Text::new("tag", "", "left out"),
            followed: 0,
        })
    }

    fn press(form: &mut Form<Sample>, keys: &str) -> bool {
        let keymap = crate::keymap::Keymap::default();
        let press = |form: &mut Form<Sample>, key: &str| {
            let key: KeyPress = key.parse().unwrap();
            let action = keymap.resolve(&[Context::Typing], key);
            form.key(key, action.filter(|_| key.typed().is_none()))
        };
        let pressed = keys.split(' ').map(|key| press(form, key));
        pressed.last().unwrap()
    }

    #[test]
    fn fields_are_typed_or_chosen_and_walked_in_a_ring() {
        let mut form = form();
        assert!(!press(&mut form, "right"));
        assert_eq!(form.fields.event.chosen(), Some(&1));
        assert_eq!(form.fields.followed, 1);
        press(&mut form, "tab 8 tab x shift-tab backspace");
        let Sample { item, rest, .. } = form.fields();
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
            assert_eq!(form.fields.event.chosen(), Some(&chosen), "{keys}");
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
        let mut form = form().refused("no such item");
        assert!(!press(&mut form, "tab"));
        assert!(form.fault.is_some());
        press(&mut form, "1");
        assert_eq!(form.fault, None);
    }
}
