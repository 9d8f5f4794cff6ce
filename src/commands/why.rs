//! `podtap why`: explains why an event arrived or
//! not, link by link from Podio to the local service.

use std::process::ExitCode;

use podtap_agent::why::ITEM_NOT_FOUND;
use podtap_agent::why::{FindItemError, Holds, NoSubject, Why as Answer, WhyObject, WhyQuestion};

use super::history::{beside, run_browser};
use crate::cli::WhyArgs;
use crate::config::Settings;
use crate::failure::Failure;
use crate::output::print;
use crate::shutdown::Shutdown;
use crate::style::{LineStyle, StyledLine, Tone};
use crate::tasks::Tasks;

/// Asks Podio, the history and the running agent, and prints the conclusion first.
pub(crate) async fn run(why: WhyArgs, settings: &Settings) -> Result<ExitCode, Failure> {
    let asked = WhyQuestion::parse(&why.subject).map_err(|error| no_subject(&error))?;
    let shutdown = Shutdown::register()?;
    let (agent, handle) = beside(settings)?;
    let style = settings.line_style()?;
    let mut tasks = Tasks::new(shutdown.token().clone());
    tasks.start(run_browser(agent, tasks.token()));
    let token = tasks.token();
    tasks.start(async move {
        let answer = async {
            let subject = match asked {
                WhyQuestion::Subject(subject) => subject,
                WhyQuestion::Page(page) => {
                    let found = handle.find_item(&page).await;
                    found.map_err(|error| not_found(&error))?
                }
            };
            Ok::<_, Failure>(handle.why(subject).await?)
        };
        let answer = tokio::select! {
            () = token.cancelled() => return Ok(()),
            answer = answer => answer?,
        };
        if why.json {
            return print(&WhyObject::from(&answer).to_line());
        }
        lines(&answer, &style).iter().try_for_each(print)
    });
    tasks.finish().await?;
    Ok(shutdown.exit_code())
}

fn not_found(error: &FindItemError) -> Failure {
    let failure = Failure::because(ITEM_NOT_FOUND, error);
    match error {
        FindItemError::UnknownApp => {
            failure.hint("set PODTAP_PODIO_APP_ID, or use the item's id: podtap why item:ID")
        }
        _ => failure,
    }
}

fn no_subject(error: &NoSubject) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        NoSubject::Link => {
            failure.hint("podtap events and podtap explain show the id: podtap why item:ID")
        }
        NoSubject::Form(_) | NoSubject::Type(..) => {
            failure.hint("write item:4711, hook:90211 or item.update")
        }
    }
}

/// Formats the conclusion, then the links.
fn lines(answer: &Answer, style: &LineStyle) -> Vec<StyledLine> {
    let is_good = answer.links.iter().all(|link| link.holds != Holds::No);
    let tone = if is_good { Tone::Good } else { Tone::Bad };
    let mut lines = vec![style.line(&[(tone, &answer.conclusion)])];
    if let Some(cure) = &answer.cure {
        lines.push(style.plain(&format!("try  {cure}")));
    }
    lines.push(style.plain(""));
    let labels = answer.links.iter().map(|link| link.step.label());
    let width = labels.map(str::len).max().unwrap_or(0);
    lines.extend(answer.links.iter().map(|link| {
        let (sign, tone) = match link.holds {
            Holds::Yes => ("✓", Tone::Good),
            Holds::No => ("✗", Tone::Bad),
            Holds::Unknown => ("?", Tone::Plain),
        };
        let rest = format!("  {:width$}  {}", link.step.label(), link.reason);
        style.line(&[(tone, sign), (Tone::Plain, &rest)])
    }));
    lines
}
