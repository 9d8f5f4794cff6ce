//! Parses parameters on one line, `name=value name=value`: the field "More" of the trigger form.
//! Double quotes keep spaces together; two of them inside quotes are one quote. Pure.

/// Returns the parameters of a line, in order. Names may repeat.
///
/// # Errors
/// If a word is not a parameter, in words.
pub(super) fn read(line: &str) -> Result<Vec<(String, String)>, String> {
    let pair = |word: String| match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!(
            "{word:?} is not a parameter: write it as name=value"
        )),
    };
    words(line)?.into_iter().map(pair).collect()
}

/// Returns the line with these parameters.
pub(super) fn write<'a>(params: impl IntoIterator<Item = &'a (String, String)>) -> String {
    let word = |(name, value): &(String, String)| {
        let word = format!("{name}={value}");
        if word.contains(|c: char| c == '"' || c.is_whitespace()) {
            format!("\"{}\"", word.replace('"', "\"\""))
        } else {
            word
        }
    };
    let words: Vec<String> = params.into_iter().map(word).collect();
    words.join(" ")
}

fn words(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => {
                word.get_or_insert_default().push('"');
            }
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if quoted {
        return Err("a double quote is open: close it, or write two for one".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        given.iter().map(own).collect()
    }

    #[test]
    fn words_are_parameters_and_quotes_keep_spaces() {
        for (line, expected) in [
            ("", pairs(&[])),
            ("  a=1   b=2 ", pairs(&[("a", "1"), ("b", "2")])),
            ("a=1 a=2 a=", pairs(&[("a", "1"), ("a", "2"), ("a", "")])),
            ("q=a=b&c", pairs(&[("q", "a=b&c")])),
            (
                r#"tag="very urgent" x=1"#,
                pairs(&[("tag", "very urgent"), ("x", "1")]),
            ),
            (
                r#""my tag=""so"" it is""#,
                pairs(&[("my tag", r#""so" it is"#)]),
            ),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_no_parameter_is_told() {
        for (line, told) in [
            ("a=1 silly", r#""silly" is not a parameter"#),
            ("=1", "is not a parameter"),
            (r#"a="1"#, "a double quote is open"),
        ] {
            let fault = read(line).unwrap_err();
            assert!(fault.contains(told), "{fault}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            params in prop::collection::vec(("[^=]{1,8}", any::<String>()), 0..6),
        ) {
            prop_assert_eq!(read(&write(&params)), Ok(params));
        }
    }
}
