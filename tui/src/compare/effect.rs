//! Reads two requests, or two answers, and compares them.

use podtap_agent::history::{Attempt, History, Outcome};
use podtap_agent::{AgentHandle, EventId, request_file};

use crate::editor;
use crate::error_text::error_text;
use crate::line::Line;
use crate::safe_text::SafeText;
use crate::theme::Role;

/// A request to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CompareEffect {
    /// Reads two events and compares their requests.
    Compare {
        /// The first event and its name.
        one: (EventId, String),
        /// The event to compare with the first, and its name.
        other: (EventId, String),
    },
    /// Compares the answer to an attempt with the answer to the attempt before it.
    CompareAnswers { id: EventId, number: u32 },
}

/// The result of a comparison.
#[derive(Debug, Clone)]
pub(crate) enum CompareAnswer {
    /// The answer to both requests.
    Compared {
        /// The event that was compared.
        id: EventId,
        /// The lines that differ.
        result: Result<Vec<Line>, String>,
    },
}

pub(crate) async fn run(effect: CompareEffect, agent: &AgentHandle) -> CompareAnswer {
    let history = agent.history();
    match effect {
        CompareEffect::Compare { one, other } => {
            let id = other.0;
            let result = compare(history, one, other).await;
            CompareAnswer::Compared { id, result }
        }
        CompareEffect::CompareAnswers { id, number } => {
            let result = compare_answers(history, id, number).await;
            CompareAnswer::Compared { id, result }
        }
    }
}

/// Returns the lines in which the requests of two events differ, below the names of the events.
async fn compare(
    history: &History,
    one: (EventId, String),
    other: (EventId, String),
) -> Result<Vec<Line>, String> {
    let names = [one.1, other.1];
    let (one, other) = tokio::join!(history.event(one.0), history.event(other.0));
    let (Some(one), Some(other)) = (one.map_err(error_text)?, other.map_err(error_text)?) else {
        return Err("one of the two events is no longer in the history".to_owned());
    };
    let texts = [one, other].map(|event| request_file::text(&event.request));
    compare_texts(names, texts, "The two requests are the same.").await
}

/// Returns the lines in which the answer to an attempt differs from the answer before it.
async fn compare_answers(history: &History, id: EventId, number: u32) -> Result<Vec<Line>, String> {
    let attempts = history.attempts(id).await.map_err(error_text)?;
    let at = attempts.iter().position(|attempt| attempt.number == number);
    let before = at.and_then(|at| attempts.get(at.checked_sub(1)?));
    let (Some(before), Some(after)) = (before, at.and_then(|at| attempts.get(at))) else {
        return Err("there is no attempt before this one to compare with".to_owned());
    };
    let names = [before, after].map(|attempt| format!("the answer to attempt {}", attempt.number));
    let texts = [before, after].map(answer_text);
    compare_texts(names, texts, "The two answers are the same.").await
}

/// Compares two texts on a blocking thread, and returns the differing lines
/// below the names of the texts.
async fn compare_texts(
    names: [String; 2],
    texts: [String; 2],
    same: &'static str,
) -> Result<Vec<Line>, String> {
    let compare = move || {
        let [before, after] = &texts;
        let [one, other] = names;
        let heading = |sign, role, name| Line::of(role, sign).with(role, name);
        let mut lines = vec![
            heading("- ", Role::Failed, one),
            heading("+ ", Role::Ok, other),
            Line::new(),
        ];
        let differs = editor::difference(before, after);
        if differs.is_empty() {
            lines.push(Line::of(Role::Quiet, same));
        }
        lines.extend(differs);
        lines
    };
    tokio::task::spawn_blocking(compare)
        .await
        .map_err(error_text)
}

/// Returns an answer as text: status, headers and body.
fn answer_text(attempt: &Attempt) -> String {
    match &attempt.outcome {
        Outcome::Failed { error } => format!("no answer: {error}\n"),
        Outcome::Answered {
            status,
            headers,
            body,
            ..
        } => {
            let mut text = format!("{status}\n");
            for (name, value) in headers.iter() {
                text.push_str(&format!(
                    "{name}: {}\n",
                    SafeText::from_bytes(value).as_str()
                ));
            }
            text.push('\n');
            text.push_str(&body_lines(body));
            text
        }
    }
}

/// Returns a body as lines of text. JSON is indented, so that each difference is on its own line.
fn body_lines(body: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(body).ok();
    let indented = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
    let lines = || {
        let lines = body.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| SafeText::from_bytes(line).as_str().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    indented.unwrap_or_else(lines)
}
