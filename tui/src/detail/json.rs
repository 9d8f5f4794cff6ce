//! Indents JSON without changing it: order, duplicates, numbers and escapes stay as they are,
//! because the bytes are walked and not parsed into values and printed again.

use serde::de::IgnoredAny;

use crate::line::Line;
use crate::theme::Role;

/// Returns whether a body is a JSON object or array.
pub(super) fn is_json(body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'[')) && serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Returns the lines of a JSON text, at most one more than `most`; `None` if the
/// text is not a JSON object or array.
pub(super) fn lines(body: &[u8], most: usize) -> Option<Vec<Line>> {
    if !is_json(body) {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let mut printer = Printer::default();
    printer.walk(text, most);
    Some(printer.lines)
}

#[derive(Default)]
struct Printer {
    lines: Vec<Line>,
    line: Line,
    depth: usize,
    /// For each open bracket, whether it is an object. In an object, a
    /// string after `{` or `,` is a name.
    objects: Vec<bool>,
    name_next: bool,
}

impl Printer {
    fn walk(&mut self, text: &str, most: usize) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next()
            && self.lines.len() <= most
        {
            let token = token(rest, first);
            match first {
                '{' | '[' => {
                    let after = rest.split_at(token.len()).1.trim_start();
                    self.open(first, after.starts_with(['}', ']']));
                }
                '}' | ']' => self.close(token),
                ',' => {
                    self.line.push(Role::Quiet, ",");
                    self.name_next = self.objects.last() == Some(&true);
                    self.break_line();
                }
                ':' => {
                    self.line.push(Role::Quiet, ": ");
                    self.name_next = false;
                }
                '"' if self.name_next => self.line.push(Role::Name, token),
                '"' => self.line.push(Role::Text, token),
                _ => self.line.push(Role::Number, token),
            }
            rest = rest.split_at(token.len()).1.trim_start();
        }
        self.break_line();
    }

    fn open(&mut self, bracket: char, empty: bool) {
        self.line.push(Role::Quiet, bracket.to_string());
        self.objects.push(bracket == '{');
        self.name_next = bracket == '{';
        if !empty {
            self.depth += 1;
            self.break_line();
        }
    }

    fn close(&mut self, bracket: &str) {
        self.objects.pop();
        let opened_here = self.line.text().ends_with(['{', '[']);
        if !opened_here {
            self.depth = self.depth.saturating_sub(1);
            self.break_line();
        }
        self.line.push(Role::Quiet, bracket);
    }

    fn break_line(&mut self) {
        let next = Line::new().space(2 * self.depth);
        let line = std::mem::replace(&mut self.line, next);
        if !line.text().trim().is_empty() {
            self.lines.push(line);
        }
    }
}

/// Returns the token at the start of `rest`. `first` is its first character.
fn token(rest: &str, first: char) -> &str {
    let end = match first {
        '"' => string_end(rest),
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => rest
            .find([',', '}', ']', ' ', '\n', '\r', '\t'])
            .unwrap_or(rest.len()),
    };
    rest.split_at(end.max(1)).0
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn indent_json(json: &str) -> Option<Vec<String>> {
        lines(json.as_bytes(), 1_000).map(|lines| lines.iter().map(Line::text).collect())
    }

    #[test]
    fn json_is_indented_and_otherwise_untouched() {
        let json = r#"{"b":1.50,"a":[true,{}],"a":"x, \"y\" }","e":[]}"#;
        let expected = [
            "{",
            "  \"b\": 1.50,",
            "  \"a\": [",
            "    true,",
            "    {}",
            "  ],",
            "  \"a\": \"x, \\\"y\\\" }\",",
            "  \"e\": []",
            "}",
        ];
        assert_eq!(indent_json(json).unwrap(), expected);
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in ["", "type=x", "{", "{'a':1}", "12", "[1,]"] {
            assert_eq!(indent_json(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_json_keeps_its_meaning(keys in proptest::collection::vec(".{0,8}", 0..8)) {
            let value = serde_json::json!({ "list": keys, "n": [1, null, {"x": keys}] });
            let text = indent_json(&value.to_string()).unwrap().join("\n");
            // Other characters are shown in an escaped form that differs from JSON's.
            if keys.iter().all(|key| key.chars().all(|c| c.is_ascii_graphic())) {
                let again: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(again, value);
            }
        }
    }
}
