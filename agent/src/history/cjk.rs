//! Prepares Chinese, Japanese and Korean text for the full-text index. Such
//! text has no spaces between words, so the index would treat a whole run as
//! one word and find only its beginning. Here a run becomes its pairs of
//! neighbours: `中国人` is indexed as `中国 国人 人`, and `国人` is found in it. Pure.

/// Returns the text as it is indexed.
pub(super) fn index_text(text: &str) -> String {
    let mut spread = String::with_capacity(text.len());
    for run in runs(text) {
        match run {
            ScriptRun::Other(text) => spread.push_str(text),
            ScriptRun::Cjk(run) => {
                spread.push(' ');
                push_pairs(&mut spread, run);
                spread.extend(run.chars().next_back());
                spread.push(' ');
            }
        }
    }
    spread
}

/// Returns what to search the index for, word by word, and whether the last word may be a prefix;
/// `None` if the text has no such characters.
pub(super) fn sought(text: &str) -> Option<(String, bool)> {
    let trimmed = text.trim_end();
    let mut runs = runs(trimmed).peekable();
    let (mut spread, mut has_any, mut goes_on) = (String::new(), false, true);
    while let Some(run) = runs.next() {
        match run {
            ScriptRun::Other(text) => spread.push_str(text),
            ScriptRun::Cjk(run) => {
                has_any = true;
                let is_pair = run.chars().nth(1).is_some();
                spread.push(' ');
                push_pairs(&mut spread, run);
                // A run that ends is indexed with its last character alone. A run at the end of the
                // search text may continue in the event's text.
                if runs.peek().is_some() || !is_pair {
                    spread.extend(run.chars().next_back());
                }
                goes_on = !is_pair || runs.peek().is_some();
                spread.push(' ');
            }
        }
    }
    has_any.then(|| (spread.trim().to_owned(), goes_on))
}

enum ScriptRun<'a> {
    Cjk(&'a str),
    Other(&'a str),
}

fn runs(text: &str) -> impl Iterator<Item = ScriptRun<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_run = is_cjk(rest.chars().next()?);
        let end = rest.find(|c| is_cjk(c) != is_run).unwrap_or(rest.len());
        let (run, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(if is_run {
            ScriptRun::Cjk(run)
        } else {
            ScriptRun::Other(run)
        })
    })
}

fn push_pairs(to: &mut String, run: &str) {
    for (first, second) in run.chars().zip(run.chars().skip(1)) {
        to.extend([first, second, ' ']);
    }
}

/// Returns whether the character is Han, kana or Hangul.
fn is_cjk(c: char) -> bool {
    matches!(u32::from(c),
        0x1100..=0x11ff | 0x3005..=0x3007 | 0x3040..=0x30ff | 0x3130..=0x318f | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7af | 0xf900..=0xfaff
        | 0xff66..=0xff9f | 0x2_0000..=0x3_134f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_become_pairs_and_the_rest_stays() {
        for (text, expected) in [
            ("plain text", "plain text"),
            ("中", " 中 "),
            ("中国人", " 中国 国人 人 "),
            ("a中国b", "a 中国 国 b"),
        ] {
            assert_eq!(index_text(text), expected);
        }
        for (text, expected) in [
            ("plain", None),
            ("中", Some(("中", true))),
            ("国人", Some(("国人", false))),
            ("国人 b", Some(("国人 人  b", true))),
            ("b中国人", Some(("b 中国 国人", false))),
        ] {
            let expected = expected.map(|(text, goes_on)| (text.to_owned(), goes_on));
            assert_eq!(sought(text), expected, "{text}");
        }
    }
}
