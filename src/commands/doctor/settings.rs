//! Reports the settings of this run with their origins, and the errors in them.

use podtap_agent::target::without_user_info;

use super::finding::LinkFinding;
use super::walk::LinkResult;
use crate::config::{Key, Settings};
use crate::failure::Failure;

/// Checks each setting that is set.
pub(super) fn settings(settings: &Settings) -> LinkResult<()> {
    let wrong = settings.check();
    if wrong.is_empty() {
        return Ok((LinkFinding::good(list_settings(settings)), ()));
    }
    let all: Vec<_> = wrong.iter().map(in_words).collect();
    let hint = wrong.iter().find_map(|failure| failure.fact_value("try"));
    Err(LinkFinding::new_broken(
        all.join("; "),
        hint.unwrap_or("`podtap config show` lists every setting with its origin"),
    ))
}

/// Returns the finding for settings that cannot be read.
pub(super) fn unreadable(failure: &Failure) -> LinkFinding {
    let hint = failure.fact_value("try").unwrap_or("correct the file");
    LinkFinding::new_broken(in_words(failure), hint)
}

/// Describes a failure: what is wrong, why, and its origin.
fn in_words(failure: &Failure) -> String {
    let mut words = failure.what().to_owned();
    for (label, before) in [("why", ": "), ("file", ", in "), ("from", ", from ")] {
        if let Some(told) = failure.fact_value(label) {
            words.push_str(before);
            words.push_str(told);
        }
    }
    words
}

/// Lists the settings and their origins; of a secret only that it is set.
fn list_settings(settings: &Settings) -> String {
    let set: Vec<_> = Key::ALL
        .iter()
        .filter_map(|key| {
            let (value, origin) = settings.set(*key)?;
            let name = key.name();
            Some(if key.is_secret() || *key == Key::PODIO_USERNAME {
                format!("{name} ({origin})")
            } else {
                format!("{name}={} ({origin})", presentable(value))
            })
        })
        .collect();
    match set.len() {
        0 => "none is set: all are defaults".to_owned(),
        number => format!("{number} set: {}", set.join(", ")),
    }
}

/// Removes from a URL what may be secret: its user and its query.
pub(super) fn presentable(value: &str) -> String {
    let value = without_user_info(value);
    match value.split_once('?') {
        Some((before, _)) => format!("{before}?…"),
        None => value.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_of_a_url_is_shown() {
        for (value, shown) in [
            ("https://hooks.test/x", "https://hooks.test/x"),
            ("https://ann:hunter2@hooks.test", "https://…@hooks.test"),
            (
                "http://localhost:3000/hook?key=hunter2",
                "http://localhost:3000/hook?…",
            ),
            ("crm", "crm"),
        ] {
            assert_eq!(presentable(value), shown);
        }
    }
}
