//! Breaks text into lines between words. Text without spaces, such as a URL, is broken anywhere.

use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;

/// Returns a text as lines of at most `cells`, broken between words if possible.
pub(crate) fn lines(role: Role, text: &str, cells: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if line.is_empty() || SafeText::new(&longer).width() <= cells {
            line = longer;
        } else {
            lines.push(std::mem::replace(&mut line, word.to_owned()));
        }
    }
    lines.push(line);
    let lines = lines.into_iter().map(|line| Line::of(role, line));
    lines.flat_map(|line| line.wrap(cells)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_unless_one_is_longer_than_a_line() {
        for (text, lines) in [
            ("a hook at Podio", &["a hook", "at", "Podio"][..]),
            ("", &[""]),
            ("https://x.test/ is", &["https:", "//x.te", "st/", "is"]),
        ] {
            let wrapped = super::lines(Role::Plain, text, 6);
            let wrapped: Vec<String> = wrapped.iter().map(Line::text).collect();
            assert_eq!(wrapped, lines, "{text}");
        }
    }
}
