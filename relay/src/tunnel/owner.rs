//! Validates names of owners. Names are shown in lists and logs, and must be
//! distinguishable from token ids.

/// Maximum length of a name, in characters.
pub(super) const MAX_CHARS: usize = 64;

/// Prefix of a token's id as shown to people. Names must not begin with it.
pub(super) const ID_PREFIX: &str = "pt_";

/// Characters that count as letters but are invisible.
const INVISIBLE: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];

/// Returns whether this is a valid name: letters and digits of any script, and `-_.@+`
/// after the first character.
pub(super) fn is_valid(name: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() && !INVISIBLE.contains(&c);
    name.chars().count() <= MAX_CHARS
        && name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || "-_.@+".contains(c))
        && !name.starts_with(ID_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_be_read_in_a_list() {
        for good in [
            "ada",
            "müller",
            "ann.lee+crm@example.com",
            "7",
            "日本",
            &"x".repeat(64),
        ] {
            assert!(is_valid(good), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "a b",
            "a\nb",
            "\u{1b}[31m",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{3164}",
            "-a",
            "pt_abcdef",
            "a/b",
            &"x".repeat(65),
        ] {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }
}
