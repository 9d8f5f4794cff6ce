//! `podtap explain`: what Podio knows of an event, and what changed, field by field.

use std::process::ExitCode;

use podtap_agent::export::json::text::to_line;
use podtap_agent::{ExplainError, Explanation};
use serde::Serialize;

use super::history::{browser, find, run_browser};
use crate::cli::Explain;
use crate::config::Settings;
use crate::failure::{Code, Failure};
use crate::output::{print, printable};
use crate::parts::Parts;
use crate::shutdown::Shutdown;

/// Asks Podio, or the history where the answer is kept.
pub(crate) async fn run(explain: Explain, settings: &Settings) -> Result<ExitCode, Failure> {
    let shutdown = Shutdown::watch()?;
    let (agent, handle) = browser(settings, None)?;
    let id = find(handle.history(), &explain.id).await?;
    let mut parts = Parts::new(shutdown.token().clone());
    parts.start(run_browser(agent, parts.token()));
    let token = parts.token();
    parts.start(async move {
        let explained = tokio::select! {
            () = token.cancelled() => return Ok(()),
            explained = handle.explain(id) => explained.map_err(failure)?,
        };
        if explain.json {
            return print(&object(&id.to_string(), &explained));
        }
        lines(&explained).iter().try_for_each(print)
    });
    parts.finish().await?;
    Ok(shutdown.exit_code())
}

fn failure(error: ExplainError) -> Failure {
    match error {
        ExplainError::Podio(error) => error.into(),
        ExplainError::NoCredentials => {
            Failure::because("nothing to explain with", &error).code(Code::Refused)
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
        let (from, to) = (shown(&change.from), shown(&change.to));
        printable(&format!("  {:16}  {from} → {to}", change.field))
    }));
    lines.extend(
        explained
            .notes
            .iter()
            .map(|note| printable(&format!("note      {note}"))),
    );
    lines
}

fn object(id: &str, explained: &Explanation) -> String {
    #[derive(Serialize)]
    struct Object<'a> {
        v: u8,
        r#type: &'static str,
        id: &'a str,
        #[serde(flatten)]
        explained: &'a Explanation,
    }
    let object = Object {
        v: 1,
        r#type: "explanation",
        id,
        explained,
    };
    to_line(&object)
}
