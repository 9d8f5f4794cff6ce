//! A form over the panes: fields under each other, each typed or chosen. What a form is for, and
//! what its values mean, is `app`'s business; this one only lets them be filled in.

mod choice;

use choice::Choice;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use crate::env::Env;
use crate::frame::{Frame, Titles};
use crate::input::Input;
use crate::keymap::{Action, Context, Key};
use crate::layout::{centered, inner};
use crate::line::{Line, cells};
use crate::theme::Role;

/// Cells of the window.
const WIDTH: u16 = 72;

/// Cells of a label.
const LABEL: usize = 18;

/// Rows for what cannot be.
const FAULT: usize = 2;

/// What a feature calls a field: it reads the field by this, and by no place in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldName(pub(crate) &'static str);

/// The open form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Form {
    title: String,
    /// What sending it does, in a word: `replay`.
    verb: &'static str,
    fields: Vec<Field>,
    /// The field that has the keys.
    at: usize,
    /// What cannot be, after it was sent.
    fault: Option<String>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    name: FieldName,
    label: String,
    value: Value,
    /// Said in place of an empty value.
    otherwise: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(Input),
    Choice(Choice),
}

/// What a key did to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormEvent {
    /// Nothing that matters to anybody else.
    None,
    /// Another option of this field was chosen.
    OptionChosen(FieldName),
    /// The form shall be sent.
    Submitted,
}

impl Field {
    /// A field to type in, which holds `text`; `otherwise` says what an empty one means.
    pub(crate) fn text(
        name: FieldName,
        label: &str,
        text: &str,
        otherwise: impl Into<String>,
    ) -> Self {
        Self {
            name,
            label: label.to_owned(),
            value: Value::Text(Input::of(text)),
            otherwise: otherwise.into(),
        }
    }

    /// A field of which one option is chosen, at first the one at `at`.
    pub(crate) fn choice(name: FieldName, label: &str, options: Vec<String>, at: usize) -> Self {
        Self {
            name,
            label: label.to_owned(),
            value: Value::Choice(Choice::new(options, at)),
            otherwise: String::new(),
        }
    }
}

impl Form {
    /// A form with these fields, the first of which has the keys; `verb` says in a word what is
    /// done once it is filled in.
    pub(crate) fn new(title: impl Into<String>, verb: &'static str, fields: Vec<Field>) -> Self {
        Self {
            title: title.into(),
            verb,
            fields,
            ..Self::default()
        }
    }

    /// Begins at another field.
    #[must_use]
    pub(crate) fn beginning_at(mut self, name: FieldName) -> Self {
        self.at = self.index(name).unwrap_or(0);
        self
    }

    /// What is done once it is filled in, in a word.
    pub(crate) fn verb(&self) -> &'static str {
        self.verb
    }

    /// Whether there is a next field to go to.
    pub(crate) fn is_long(&self) -> bool {
        self.fields.len() > 1
    }

    /// What was typed into a field; empty for one that is not there, or is chosen.
    pub(crate) fn text(&self, name: FieldName) -> String {
        match self.field(name).map(|field| &field.value) {
            Some(Value::Text(input)) => input.text(),
            _ => String::new(),
        }
    }

    /// Which option of a field is chosen; 0 for one that is not there, or is typed.
    pub(crate) fn chosen_index(&self, name: FieldName) -> usize {
        match self.field(name).map(|field| &field.value) {
            Some(Value::Choice(choice)) => choice.at,
            _ => 0,
        }
    }

    fn index(&self, name: FieldName) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    fn field(&self, name: FieldName) -> Option<&Field> {
        self.fields.get(self.index(name)?)
    }

    /// Labels and texts of all typed fields with this name.
    pub(crate) fn pairs(&self, name: FieldName) -> Vec<(String, String)> {
        let typed = |field: &Field| match &field.value {
            Value::Text(input) => Some((field.label.clone(), input.text())),
            Value::Choice(_) => None,
        };
        let named = self.fields.iter().filter(|field| field.name == name);
        named.filter_map(typed).collect()
    }

    /// These take the place of all fields after the one with this name.
    pub(crate) fn replace_after(&mut self, name: FieldName, fields: Vec<Field>) {
        let kept = self.index(name).map_or(0, |index| index + 1);
        self.fields.truncate(kept);
        self.fields.extend(fields);
        self.at = self.at.min(self.fields.len().saturating_sub(1));
    }

    /// Says what cannot be; it stays until something is typed.
    pub(crate) fn refuse(&mut self, fault: impl Into<String>) {
        self.fault = Some(fault.into());
    }

    /// A key was pressed.
    pub(crate) fn key(&mut self, key: Key, action: Option<Action>) -> FormEvent {
        let last = self.fields.len().saturating_sub(1);
        match action {
            Some(Action::Open) => return FormEvent::Submitted,
            Some(Action::Down | Action::NextTab) if self.at == last => self.at = 0,
            Some(Action::Down | Action::NextTab) => self.at += 1,
            Some(Action::Up | Action::PreviousTab) if self.at == 0 => self.at = last,
            Some(Action::Up | Action::PreviousTab) => self.at -= 1,
            _ => return self.fill(key),
        }
        FormEvent::None
    }

    fn fill(&mut self, key: Key) -> FormEvent {
        self.fault = None;
        let Some(field) = self.fields.get_mut(self.at) else {
            return FormEvent::None;
        };
        let is_other = match &mut field.value {
            Value::Text(input) => {
                input.key(key);
                false
            }
            Value::Choice(choice) => choice.key(key),
        };
        if is_other {
            return FormEvent::OptionChosen(field.name);
        }
        FormEvent::None
    }

    /// Text was pasted into the field that is being typed.
    pub(crate) fn paste(&mut self, text: &str) {
        self.fault = None;
        if let Some(Value::Text(input)) = self.fields.get_mut(self.at).map(|field| &mut field.value)
        {
            input.insert(text);
        }
    }

    /// Where the form is.
    pub(crate) fn area(&self, screen: Rect) -> Rect {
        centered(screen, WIDTH, cells(self.fields.len() + FAULT + 3))
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
        let is_there = line < height && field < self.fields.len();
        if is_there {
            self.at = field;
        }
        is_there
    }

    /// Draws the form over `screen`.
    pub(crate) fn view(&self, env: Env<'_>, screen: Rect, buffer: &mut Buffer) {
        let area = self.area(screen);
        Clear.render(area, buffer);
        let does = format!("{}s", self.verb);
        let keys = [
            (Action::NextTab, "next"),
            (Action::Open, does.as_str()),
            (Action::Back, "leaves"),
        ];
        // Of one field there is no next.
        let keys = keys.get(usize::from(!self.is_long())..).unwrap_or_default();
        let hint = env.keymap.says(Context::Typing, keys);
        let titles = Titles {
            left: Line::of(Role::Strong, &self.title),
            right: Line::of(Role::Accent, hint),
            ..Titles::default()
        };
        let focused = true;
        Frame { focused, titles }.draw(area, env.theme, buffer);
        let area = inner(area);
        let (first, height) = self.in_sight(area.height.into());
        let width = usize::from(area.width);
        let fields = self.fields.iter().enumerate().skip(first).take(height);
        for ((index, field), row) in fields.zip(area.rows()) {
            field
                .line(index == self.at, width)
                .draw(row, env.theme, buffer);
        }
        let fault = Line::of(Role::Failed, self.fault.as_deref().unwrap_or_default());
        let rows = area.rows().skip(height + 1);
        for (line, row) in fault.wrap(width).iter().zip(rows) {
            line.draw(row, env.theme, buffer);
        }
    }
}

impl Field {
    fn line(&self, has_keys: bool, width: usize) -> Line {
        let room = width.saturating_sub(LABEL);
        let value = match &self.value {
            Value::Text(input) if has_keys && input.text().is_empty() => {
                input.line(room, None).put(Role::Quiet, &self.otherwise)
            }
            Value::Text(input) if has_keys => input.line(room, None),
            Value::Text(input) if input.text().is_empty() => Line::of(Role::Quiet, &self.otherwise),
            Value::Text(input) => Line::of(Role::Plain, input.text()),
            Value::Choice(choice) => choice.line(has_keys),
        };
        let label = if has_keys { Role::Accent } else { Role::Quiet };
        Line::new().column(label, &self.label, LABEL).join(value)
    }
}

/// What a field holds, where it holds anything.
pub(crate) fn optional<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    let text = text.trim();
    if text.is_empty() {
        Ok(None)
    } else {
        parse(text).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: FieldName = FieldName("event");
    const ITEM: FieldName = FieldName("item");
    const REST: FieldName = FieldName("rest");

    fn form() -> Form {
        let kinds = ["item.create", "item.update", "comment.create"];
        let kinds = kinds.map(str::to_owned).to_vec();
        Form::new(
            "Trigger",
            "send",
            vec![
                Field::choice(EVENT, "Event", kinds, 0),
                Field::text(ITEM, "item_id", "7", "left out"),
                Field::text(REST, "tag", "", "left out"),
            ],
        )
    }

    fn press(form: &mut Form, keys: &str) -> FormEvent {
        let keymap = crate::keymap::Keymap::default();
        let press = |form: &mut Form, key: &str| {
            let key: Key = key.parse().unwrap();
            let action = keymap.resolve(&[Context::Typing], key);
            form.key(key, action.filter(|_| key.typed().is_none()))
        };
        let pressed = keys.split(' ').map(|key| press(form, key));
        pressed.last().unwrap()
    }

    #[test]
    fn fields_are_typed_or_chosen_and_walked_in_a_ring() {
        let mut form = form();
        assert_eq!(press(&mut form, "right"), FormEvent::OptionChosen(EVENT));
        assert_eq!(form.chosen_index(EVENT), 1);
        press(&mut form, "tab 8 tab x shift-tab backspace");
        assert_eq!((form.text(ITEM), form.text(REST)), ("7".into(), "x".into()));
        press(&mut form, "up up");
        assert_eq!(form.at, 2);
        assert_eq!(press(&mut form, "enter"), FormEvent::Submitted);
    }

    #[test]
    fn typing_on_a_choice_goes_to_what_begins_so_or_holds_it() {
        for (keys, chosen) in [("c o", 2), ("u p d", 1), ("c c", 2), ("x", 0), ("left", 2)] {
            let mut form = form();
            press(&mut form, keys);
            assert_eq!(form.chosen_index(EVENT), chosen, "{keys}");
        }
    }

    #[test]
    fn the_last_fields_are_read_and_replaced_together() {
        let mut form = form();
        let pair = |label: &str, text: &str| (label.to_owned(), text.to_owned());
        assert_eq!(form.pairs(REST), [pair("tag", "")]);
        press(&mut form, "tab tab");
        form.replace_after(EVENT, vec![Field::text(REST, "task_id", "3", "")]);
        assert_eq!((form.pairs(REST), form.at), (vec![pair("task_id", "3")], 1));
    }

    #[test]
    fn what_cannot_be_is_told_until_something_is_typed() {
        let mut form = form();
        form.refuse("no such item");
        assert_eq!(press(&mut form, "tab"), FormEvent::None);
        assert!(form.fault.is_some());
        press(&mut form, "1");
        assert_eq!(form.fault, None);
    }
}
