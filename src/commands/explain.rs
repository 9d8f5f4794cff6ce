//! `podtap explain`: shows what Podio knows about an event, and what changed, field by field.

use std::process::ExitCode;

use podtap_agent::export::json::ExplanationObject;
use podtap_agent::routes::Routes;
use podtap_agent::{ExplainError, Explanation};
use podtap_podio::wording::Piece;

use super::history::{browser, find, run_browser};
use crate::cli::ExplainArgs;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::{print, printable};
use crate::shutdown::Shutdown;
use crate::tasks::Tasks;

/// Asks Podio, or reads the answer from the history if it is stored.
pub(crate) async fn run(explain: ExplainArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::register()?;
    let (agent, handle) = browser(settings, &Routes::default())?;
    let id = find(handle.history(), &explain.id).await?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    tasks.start(run_browser(agent, tasks.token()));
    let token = tasks.token();
    tasks.start(async move {
        let explained = tokio::select! {
            () = token.cancelled() => return Ok(()),
            explained = handle.explain(id) => explained.map_err(failure)?,
        };
        if explain.json {
            return print(&ExplanationObject::new(id, &explained).to_line());
        }
        lines(&explained).iter().try_for_each(print)
    });
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

fn failure(error: ExplainError) -> Failure {
    match error {
        ExplainError::Podio(error) => error.into(),
        ExplainError::NoCredentials => {
            Failure::because("Podio credentials are required", &error).code(Code::Refused)
        }
        error => Failure::because("the event cannot be explained", &error),
    }
}

fn lines(explained: &Explanation) -> Vec<String> {
    let pair = |name: &str, value: &str| printable(&format!("{name:8}  {value}"));
    let mut lines: Vec<String> = explained
        .facts()
        .map(|(name, value)| pair(name, value))
        .collect();
    if !explained.changes.is_empty() {
        lines.extend([String::new(), "Changed".to_owned()]);
    }
    let shown = |value: &str| {
        if value.is_empty() {
            "–".to_owned()
        } else {
            value.to_owned()
        }
    };
    lines.extend(explained.changes.iter().map(|change| {
        let told = change.pieces().map_or_else(
            || format!("{} → {}", shown(&change.from), shown(&change.to)),
            |pieces| pieces.iter().map(piece).collect(),
        );
        printable(format!("  {:16}  {told}", change.field).trim_end())
    }));
    lines.extend(
        explained
            .notes
            .iter()
            .map(|note| printable(&format!("note      {note}"))),
    );
    lines
}

/// Formats a part of a long text, marked as in `git diff --word-diff`.
fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Same(text) => text.clone(),
        Piece::Removed(text) => format!("[-{}-] ", text.trim_end()),
        Piece::Added(text) => format!("{{+{}+}} ", text.trim_end()),
        Piece::Skipped => "… ".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use podtap_agent::ExplainedField;

    use super::*;

    #[test]
    fn a_long_text_is_told_word_by_word_and_a_short_one_whole() {
        let long = "Oiled twice, brass edges, goes out on Monday by the small van with Ada.";
        let change = |from: &str, to: &str| ExplainedField {
            field: "Notes".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let explained = Explanation {
            changes: vec![
                change(long, &long.replace("Monday", "Tuesday")),
                change("Open", "Paid"),
            ],
            ..Explanation::default()
        };

        let lines = lines(&explained);

        assert!(
            lines[2].ends_with("… edges, goes out on [-Monday-] {+Tuesday+} by the small van …"),
            "{lines:?}"
        );
        assert!(lines[3].ends_with("Open → Paid"), "{lines:?}");
    }
}
